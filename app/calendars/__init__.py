"""Calendars: the programme as iCalendar text. A *vevent* is a session's entry, a *feed* a file that holds some of them.

One writer makes every text, so the same slot has the same UID, SEQUENCE and times everywhere (rules §5). Nothing is
stored here: a *shelf* holds the ready vevents of one forum, revision and language, and any process can fill it anew.
"""
