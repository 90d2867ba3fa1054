"""Goroutines and their stacks: unwinding, stack maps, variables, spilled arguments."""
