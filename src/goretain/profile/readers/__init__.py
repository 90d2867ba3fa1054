"""Readers of every format: ``read`` tells which one a file has, ``gather`` adds many files up."""
