"""Collectors: one thin transport per feed, and what they share (HTTP, rate limits, hold-offs)."""
