"""Allocation sites: which there are, how sure the sampling makes their figures, what changed between two."""
