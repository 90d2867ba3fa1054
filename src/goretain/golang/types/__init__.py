"""Which type everything has: Go types, their pointer masks, and inference from roots along pointers."""
