"""How results become text: tables, listings, inspections, templates, sizes, ages, safe text.

What belongs here: pure functions from values to strings, cheap to import. What does not: click,
rich, colour, and anything that reads or prints.
"""
