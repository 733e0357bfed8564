"""OpenAI's chat completions, read into and written from the neutral conversation.

The hot path, where both sides speak it and bytes pass untouched, is `protocols.openai_chat`.
"""
