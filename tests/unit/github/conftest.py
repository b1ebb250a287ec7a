"""Fixtures for tests of the GitHub client."""

from __future__ import annotations

from tests.packages_double.fixtures import at_github, github

__all__ = ["at_github", "github"]
