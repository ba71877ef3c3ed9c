"""The pure half of each feed: what its payloads mean. One module a feed, so that a pass loads its own alone."""
