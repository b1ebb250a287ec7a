"""Synchronization of the tags of repositories."""
