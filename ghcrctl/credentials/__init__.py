"""Credentials: finding them, and storing them for `login`.

No secret is ever part of a message, a repr or an argument list.
"""
