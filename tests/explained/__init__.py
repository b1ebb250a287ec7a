"""Produces each documented error and exit status."""
