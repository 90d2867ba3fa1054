"""Decoding JSON: types of ``goretain schema`` beside map[string]any and quicktype."""
