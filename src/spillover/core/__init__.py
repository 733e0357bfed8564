"""The pure core: decides who serves, what may be spent and what a failure means.

No I/O, clock, randomness, logging, environment or async: time comes in as `now`, chance as `draw`.
"""
