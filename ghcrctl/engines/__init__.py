"""Engines: programs of others that run build steps.

What belongs here: which of them are on this machine, what their command lines look like, running
them. What does not: what becomes of an image that was built (``operations``).
"""
