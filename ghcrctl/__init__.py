"""ghcrctl: the Docker-like client of the GitHub Container Registry that needs no Docker."""

__version__ = "0.1.0"
