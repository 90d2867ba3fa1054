"""Room for a copy: what memory limits and disks leave, and memory set aside."""
