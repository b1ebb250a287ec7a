"""One use case a module: takes what it needs, returns a typed result; prints and prompts nothing.

What belongs here: wiring places, engine and nouns to what a person wants. What does not: options,
output (``cli``).
"""
