"""What holds memory: globals, stacks, specials and queues, by name."""
