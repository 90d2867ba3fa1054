"""What README and docs quote as figures, measured side by side in one run: ``make bench``."""
