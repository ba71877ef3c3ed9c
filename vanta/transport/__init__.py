"""The transport between hosts: what crosses, how it is looked for, and what of it is adopted."""
