"""Reports: what leaves the house as tables and documents. A projection: it reads, shapes and writes nothing back.

A *schedule* is the programme in the form that conference applications read; a *table* is rows under headings.
"""
