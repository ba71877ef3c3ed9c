"""Pure decisions of the executor: no I/O, no clock, no environment."""
