"""Accounts: *users* are organisers with an e-mail address; a *sign-in link* is used once and opens a *login*.

An *actor* is whoever does a deed: a user with roles, a participant by secret link, the worker, the command line.
"""
