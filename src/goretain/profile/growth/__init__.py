"""Which sites go on growing: the verdict on a series of profiles, on a fleet of one each, and its reasons."""
