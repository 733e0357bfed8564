"""Gather facts: look at files, the environment, processes, sockets and providers."""
