"""GitHub as the tests have it."""

from __future__ import annotations

from tests.packages_double.fixtures import github

__all__ = ["github"]
