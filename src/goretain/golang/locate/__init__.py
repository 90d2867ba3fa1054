"""Finding the runtime in memory when no symbol table says where it is: by structure, never by names."""
