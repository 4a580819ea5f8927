"""The clock door: *duties* are what runs when; the worker does them, in the web process or in one of its own."""
