"""Play outages to a user's own chain, over simulated providers, and see which promise holds.

The configuration is the user's, and so are its engine, ledger file and sockets; only the far ends are
simulated, each timeout is short, and time is let pass. Refuses to reach anybody else.
"""
