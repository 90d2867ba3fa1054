"""What is in the maps: entries, slots and bytes of Swiss and classic maps."""
