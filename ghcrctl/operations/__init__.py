"""Use cases, grouped by task: each takes what it needs and returns a typed result.

Operations never print or prompt; options and output belong in ``cli``.
"""
