"""The local image store on disk: a standard OCI image layout that any number of processes may use.

What belongs here: layout, names, listing, garbage collection. What does not: what a command does
with an image (``operations``). Writers hold the store's lock for moments; readers never lock.
"""
