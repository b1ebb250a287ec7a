"""GitHub and a session of its own beside each test."""

from __future__ import annotations

from tests.packages_double.fixtures import at_github, github

__all__ = ["at_github", "github"]
