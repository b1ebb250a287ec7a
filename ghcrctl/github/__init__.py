"""GitHub's packages: its REST API, the graph of a package's versions, and retention plans."""
