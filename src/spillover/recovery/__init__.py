"""Get a set-up back that was lost or broken, keep it in a file, run it as a service."""
