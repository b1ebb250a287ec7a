"""Full-screen review of a deletion plan."""
