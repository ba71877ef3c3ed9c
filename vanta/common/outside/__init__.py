"""The way out of this host: whom a program may ask (`allowed`, `wall`), and one chained line for each call (`ledger`).

`out` joins both; `over_httpx` and `over_requests` put it under the client libraries. See docs/adr/0024.
"""
