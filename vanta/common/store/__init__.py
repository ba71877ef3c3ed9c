"""Files, journals, snapshots, locks: ports, adapters and in-memory twins."""
