"""Pure parsers: raw bytes as a feed served them → plain JSON-able records. No I/O, no clock, no network."""
