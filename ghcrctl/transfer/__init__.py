"""The transfer engine: copies a graph of content from a source to a sink."""
