"""Commands that create images, indexes and artifacts."""
