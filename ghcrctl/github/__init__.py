"""GitHub's packages: its REST API, the graph of a package's versions, retention and its plan.

What belongs here: what GitHub knows beside the registry, and what may be deleted. What does not:
the registry itself (``registry``), and carrying a plan out (``operations``).
"""
