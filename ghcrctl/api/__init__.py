"""The Python API: what the commands do, as functions with typed results.

What belongs here: reading names and options as Python writes them, and giving each call its
session. What does not: anything that a command would do otherwise: that is one operation for both
(``operations``). Nothing here prints or asks.
"""
