"""Audit: what happened. A *fact* says who did what to what and when; facts are only ever added, chained by hash."""
