"""The care of packages on GitHub: one use case a module.

What belongs here: getting the graph, carrying plans out, what people ask about packages. What does
not: deciding what may go (``github.planner``).
"""
