"""The server side of the OCI distribution spec 1.1: a WSGI application and its HTTP server."""
