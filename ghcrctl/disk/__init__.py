"""Durable file operations: writing, renaming and removing.

Only this package calls fsync, rename and unlink so that the rules of each file system are followed
in one place. It does not import other packages of ghcrctl.
"""
