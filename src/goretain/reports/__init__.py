"""Answers, and how they are shown: one file per format. Imports ``diagnosis``, ``heap`` and below."""
