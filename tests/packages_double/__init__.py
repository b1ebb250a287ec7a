"""GitHub's packages for tests: its REST API and its registry with the same content."""

from __future__ import annotations

from tests.packages_double.double import GitHubDouble

__all__ = ["GitHubDouble"]
