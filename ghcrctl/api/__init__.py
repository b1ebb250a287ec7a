"""The Python API: every command as a function with typed arguments and results."""
