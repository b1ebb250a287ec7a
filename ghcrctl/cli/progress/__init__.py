"""How far everything has come: bars on a terminal, plain lines off it, or events as JSON.

What belongs here: what moves (``board``), how that looks (``drawing``), the terminal (``screen``),
and who shows it (``displays``). What does not: the lines of results (``cli.progress``).
"""
