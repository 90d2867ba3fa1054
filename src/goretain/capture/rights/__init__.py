"""Who may look at which process, and what to say when the kernel refuses."""
