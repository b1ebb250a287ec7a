"""Format results as tables, trees, documents and templates. These functions only return text."""
