"""Heap dumps of runtime/debug.WriteHeapDump: read, and made into what the other rooms read from an image."""
