"""External programs: where they are found, and how they are started.

What belongs here: the search on the PATH, and every start of a process. What does not: what a
program is asked, which is for ``credentials`` and ``engines`` to know.
"""
