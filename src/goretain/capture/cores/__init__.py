"""ELF cores, whole and truncated."""
