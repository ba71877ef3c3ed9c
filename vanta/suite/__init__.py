"""The whole suite on one host: demo, up, once, status, simulate."""
