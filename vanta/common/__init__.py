"""What every node shares: store, models, money, ids, clock, errors, reasons, settings."""
