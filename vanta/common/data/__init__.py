"""Data files that ship with VANTA; `common/resources.py` reads them."""
