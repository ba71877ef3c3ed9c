"""Where a home's journals are kept besides the home: a port for archives, its adapters, and what is done with them."""
