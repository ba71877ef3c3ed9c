"""Pure reading of logs and documents."""
