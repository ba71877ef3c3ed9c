"""The contract of every file: one pydantic model each."""
