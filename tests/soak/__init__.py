"""The soak: nights in real time, with real workers, a crowd that never gives up, and a swizzle of
faults that begin and end in any order. `python -m tests.soak` plays them, `make soak` for minutes.
"""
