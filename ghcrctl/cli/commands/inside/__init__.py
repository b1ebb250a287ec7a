"""Commands that look inside images."""
