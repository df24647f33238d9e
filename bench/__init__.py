"""How fast, how short, how light: each module is one command, `python3 dev.py bench NAME`.

Absolute times say little on a shared machine, so what counts is the ratio of two things measured
in turn, in one process.
"""
