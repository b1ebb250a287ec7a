"""Commands on the local store."""
