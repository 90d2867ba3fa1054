"""The laboratory: what the compiler and the runtime of any Go do, measured.

``explain`` asks the compiler about one place of a program.
"""
