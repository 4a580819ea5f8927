"""Editions: a forum as one readable file, read and written through the deeds of the rooms that own its parts."""
