"""The Go function table: function by address, and what holds at an address of its code."""
