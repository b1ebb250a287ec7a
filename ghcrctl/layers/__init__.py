"""The content of layers: compression, tar archives, and file trees."""
