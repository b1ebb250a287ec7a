"""Writes the page of the Python API: which classes stand where; Sphinx reads them themselves."""

from __future__ import annotations

import inspect

import ghcrctl
from ghcrctl.errors import GhcrctlError

_HEAD = """# Python API

What each call takes, gives and raises; [From Python](../topics/python.md) shows how they are used.
Every call of `Client` is a function of the package too: `ghcrctl.pull(...)` is what
`Client().pull(...)` is. Values and errors are imported from `ghcrctl`.
"""
_CALLS = (
    ("Client", "ghcrctl.api.client.Client"),
    ("Calls of `packages`", "ghcrctl.api.packages.Packages"),
    ("Calls of `manifest`", "ghcrctl.api.manifests.Manifests"),
    ("Calls of `artifact`", "ghcrctl.api.manifests.Artifacts"),
)
_ERRORS = """
## Errors

```{eval-rst}
.. automodule:: ghcrctl.errors
   :members:
   :exclude-members: ExitStatus
```

```{eval-rst}
.. autoclass:: ghcrctl.errors.ExitStatus
   :members:
   :undoc-members:
```
"""


def python_api() -> str:
    """Return the page."""
    calls = [
        f"\n## {heading}\n\n{_directive(name, 'members', 'inherited-members')}"
        for heading, name in _CALLS
    ]
    values = "".join(_directive(name, "members", "undoc-members") for name in sorted(_values()))
    return "".join([_HEAD, *calls, "\n## Values\n\n", values, _ERRORS])


def _values() -> set[str]:
    """Return where the classes are that calls take and give."""
    found = [getattr(ghcrctl, name) for name in ghcrctl.__all__]
    return {
        f"{value.__module__}.{value.__qualname__}"
        for value in found
        if inspect.isclass(value)
        and not issubclass(value, GhcrctlError)
        and value.__name__ not in {"Client", "ExitStatus"}
    }


def _directive(name: str, *options: str) -> str:
    lines = "".join(f"   :{option}:\n" for option in options)
    return f"```{{eval-rst}}\n.. autoclass:: {name}\n{lines}```\n\n"
