"""The local image store: a standard OCI image layout, safe for concurrent processes.

Writers hold the store's lock only briefly; readers never lock.
"""
