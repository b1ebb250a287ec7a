"""Commands that transfer images."""
