"""What a place with content is: the ports that every place implements, and their streams.

What belongs here: protocols with their contracts, verification, retry, the place in memory. What
does not: any real place (``registry``, ``store``, ``archive``) and the walk from one to another
(``transfer``).
"""
