"""Files beside the program: debug files and unstripped twins; and several modules read as one."""
