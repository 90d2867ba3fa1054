"""ELF files: read in parts, never mapped; sections, segments, symbols, build info."""
