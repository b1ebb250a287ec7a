"""A place with content as a registry: the server side of the OCI distribution spec 1.1.

What belongs here: the WSGI application, what it needs of a place, and the server that carries it.
What does not: clients of registries (``registry``) and the places themselves.
"""
