"""The markets node: harvest, reflection, promotion."""
