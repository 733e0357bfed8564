"""Gemini's generateContent, read into and written from the neutral conversation."""
