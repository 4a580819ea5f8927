"""How things look in JSON, a module for each room of the API."""
