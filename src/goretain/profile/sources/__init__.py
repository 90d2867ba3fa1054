"""Bytes of profiles: from files, pipes and URLs, and which URL a process serves them under."""
