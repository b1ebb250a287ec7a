"""Registries beside what CI runs."""

from __future__ import annotations

from tests.registry_double.fixtures import ghcr

__all__ = ["ghcr"]
