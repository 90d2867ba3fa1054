"""The file that a watch writes, and its reading."""
