"""Find what is wrong with a set-up, say why it matters and what to do, and mend what can be mended.

`probe` gathers facts and touches the world, `judge` turns facts into findings and touches nothing,
`examination` has all of them done at once. Refuses to send a completion unasked, and to serve.
"""
