"""Registries and images that mean harm."""
