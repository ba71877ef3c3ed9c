"""What `vanta simulate` is made of: recorded prices and feeds in, the unchanged programs between, a report out."""
