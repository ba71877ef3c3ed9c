"""Pre-trade fences, one file each; `policy.py` is the ordered list."""
