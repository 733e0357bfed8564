"""OpenAI's Responses, read into and written from the neutral conversation."""
