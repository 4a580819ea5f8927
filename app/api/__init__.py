"""The JSON door, `/api/v1`: what the desk can do, for programs that bring a token.

A *call* is one request with its bearer; a *shape* is how a thing looks in JSON; a *problem* is what is answered instead
(RFC 9457). The deeds, the inputs and the codes of refusals are those of the other doors.
"""

PREFIX = "/api/v1"
