"""The files that a process runs: program, plugins, hosting libraries, and which memory is just theirs."""
