"""Conversations and their log: send, history, resume, and the doors to them."""
