"""Manage packages on GitHub: list, check, prune, delete and restore them."""
