"""The dashboard: pages rendered here, kept live by what the gateway's events say.

Reads the engine's documents and changes nothing: what a person changes goes through `/api`.
"""
