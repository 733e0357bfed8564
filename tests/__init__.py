"""The tests: files stand one to one with the source, and a test's name is its sentence."""
