"""Profiles in protobuf (profile.proto of google/pprof), read in two ways that say the same.

``protobuf`` for a few profiles and for all that is unusual or damaged, which ``damage`` explains; ``wire``
and ``sums`` for large ones and for many, with compiled kernels.
"""
