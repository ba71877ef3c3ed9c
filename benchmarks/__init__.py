"""The performance report: `make bench`. Ratios against named peers and floors, medians over several runs."""
