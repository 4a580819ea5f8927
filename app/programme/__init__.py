"""Programme: *sessions* in the working copy, *speakers* and their *appearances*, numbered *versions* once published.

A version holds the whole programme as it was published, so old versions keep their text and nothing unpublished leaks.
"""
