"""The vocabulary every floor shares: findings, chains, confidence, bytes, errors.

Ground floor: imports msgspec and the standard library only.
"""
