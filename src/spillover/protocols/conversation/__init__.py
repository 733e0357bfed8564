"""What is said between a client and a model, in no protocol's words: what translations pass through."""
