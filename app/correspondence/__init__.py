"""Correspondence: what mails say. A *message* of the outbox in words, an organiser's *own words* for it, *mailings*.

A *mailing* is a mail the organisers write to a *segment* of those they know; a *mailbox* may *opt out* of what is not
essential.
"""
