"""What is allocated and what points where: spans, objects, edges, size classes."""
