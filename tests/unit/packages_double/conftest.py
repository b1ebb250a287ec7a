"""Fixtures for tests of the GitHub double."""

from __future__ import annotations

from tests.packages_double.fixtures import github

__all__ = ["github"]
