"""VANTA: a governed capital operating system on files (see docs/ARCHITECTURE.md)."""

__version__ = "0.1.0"
