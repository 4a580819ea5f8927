"""Mail: the *outbox* is a table; a *message* is a template's name and its values, rendered and delivered later.

States: draft, queued, sending, sent, retrying, failed, withheld. Only the worker delivers.
"""
