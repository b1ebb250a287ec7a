"""Generate the page of the Python API: the order of its classes, which Sphinx documents."""

from __future__ import annotations

import inspect

import ghcrctl
from ghcrctl.errors import GhcrctlError

_HEAD = """# Python API

The arguments, results and exceptions of every call. For a guide, see
[Use ghcrctl from Python](../topics/python.md).

Every method of `Client` is also a function of the package: `ghcrctl.pull(...)` is short for
`Client().pull(...)`. Import values and errors from `ghcrctl`.
"""
_CALLS = (
    ("Client", "ghcrctl.api.client.Client"),
    ("Client.packages", "ghcrctl.api.packages.Packages"),
    ("Client.manifest", "ghcrctl.api.manifests.Manifests"),
    ("Client.artifact", "ghcrctl.api.manifests.Artifacts"),
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
    """Return the dotted names of the classes that calls accept and return."""
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
