"""The durable record of reservations and usage, shared by every process on the machine.

One `Book` in memory decides; a journal makes what it decided durable and tells other processes.
"""
