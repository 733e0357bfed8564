"""Anthropic's Messages, read into and written from the neutral conversation."""
