"""An Image in a file: self-contained, so that it can be analysed where neither process nor binary is.

``writer`` is part of the light capture path, ``reader`` is not. The format is in docs/formats.md.
Imports ``capture``, ``debuginfo``, ``model`` and numpy.
"""
