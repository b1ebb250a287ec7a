"""The commands, one module per command, imported when they are called."""
