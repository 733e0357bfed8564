"""The dialects: bytes and JSON in, values out, and back.

No I/O, clock, randomness, logging, environment or async.
"""
