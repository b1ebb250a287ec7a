"""Files on disk: durable writing, renames and removal.

This is the only package that calls fsync, rename and unlink, so that each rule of a file system is
followed in one place. It imports nothing else of ghcrctl.
"""
