"""Synchronize the tags of repositories."""
