"""What may cross, in which order, and what of it may be adopted. Pure."""
