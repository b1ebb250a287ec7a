"""A GitHub double and a session for each test."""

from __future__ import annotations

from tests.packages_double.fixtures import at_github, github
from tests.registry_double.fixtures import plain_registry

__all__ = ["at_github", "github", "plain_registry"]
