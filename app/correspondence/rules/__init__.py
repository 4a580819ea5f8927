"""Pure rules of correspondence: placeholders, segments, a mailing's life."""
