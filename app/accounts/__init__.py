"""Who works at the desk: people, sign-in, roles."""
