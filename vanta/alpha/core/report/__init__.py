"""The report of a home: shaping what its logs tell, and drawing it. Pure."""
