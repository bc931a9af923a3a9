"""What a journey is and how one is walked: definition, steps, waits, decisions.

Pure: no clock, no randomness, no environment, no I/O. Whatever an instance wants from the world it
asks through the small protocol in `runtime`; there is one such runtime on Temporal and one on a
virtual clock.
"""
