"""Limits on what clients send."""

MAX_NOTE = 500
