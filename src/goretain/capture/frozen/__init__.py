"""A live process: stopped, copied and released, and what guards the pause."""
