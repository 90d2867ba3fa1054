"""``goretain explain``: what the compiler decided at one place of a program, in its own evidence."""
