"""The fault matrix: each operation, each misfortune, and what comes of it."""
