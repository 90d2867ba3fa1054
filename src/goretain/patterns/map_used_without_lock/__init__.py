"""Pattern folder; see doc.md."""
