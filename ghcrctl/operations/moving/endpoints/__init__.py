"""Sources and targets of a copy."""
