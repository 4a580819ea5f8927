"""What any site would want and no forum needs to be named for: settings, database, pen, clock, codes, languages."""
