"""Progress displays: bars on a terminal, lines in a log, or events as JSON."""
