"""Malicious registries and images."""
