"""Forum: one edition of the conference: its words, dates, venue, *tracks* with themes, *objectives*, *meeting rooms*.

Who has which *role* in a forum is kept here; what a role may do is a table in `accounts.rules`.
"""
