"""Registration: who comes. A *category* is a kind of participant with a *guarantee* and maybe a *limit* of seats;
an *application* is one person's request; a *place* is one of the hall's numbered chairs; a *seat* is the right to it.

Who gets a seat is answered by `rules.seats`, in the transaction that takes or frees one.
"""
