"""`make bench`: the site measured beside its limits, in one run on one machine. See docs/benchmarks.md."""
