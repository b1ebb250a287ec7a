"""A registry that behaves like ghcr.io, on loopback, and one that follows the specification."""

from __future__ import annotations

from tests.registry_double.double import PlainRegistry, RegistryDouble
from tests.registry_double.faults import Fault
from tests.registry_double.wsgi import LogEntry

__all__ = ["Fault", "LogEntry", "PlainRegistry", "RegistryDouble"]
