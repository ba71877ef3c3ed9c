"""Pure decisions of the markets node."""
