"""Names of the single files: one per version of Python and kind of machine.

The action runs this module in the Python of a job, so it imports the standard library only.
"""

from __future__ import annotations

import platform
import sys
import sysconfig

_SYSTEMS = {"darwin": "macos", "win32": "windows"}
_MACHINES = {"aarch64": "arm64", "amd64": "x86_64"}


def file_name(version: str) -> str:
    """Return the name of the single file for this Python, such as ``ghcrctl-1.0-py3.11-...``."""
    return f"ghcrctl-{version}-py{python_version()}-{machine_kind()}.pyz"


def python_version() -> str:
    """Return the version of this Python, such as ``3.11``."""
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def machine_kind() -> str:
    """Return the kind of machine whose compiled libraries this Python loads."""
    system = _SYSTEMS.get(sys.platform, sys.platform)
    if "musl" in (sysconfig.get_config_var("SOABI") or ""):
        system = "musl"
    machine = platform.machine().lower()
    if system == "windows":
        # A Python for x86-64 runs on ARM too.
        machine = sysconfig.get_platform().rpartition("-")[2]
    bits = "" if sys.maxsize > 1 << 32 else "_32bit"
    return f"{system}_{_MACHINES.get(machine, machine)}{bits}"


if __name__ == "__main__":
    print(file_name(sys.argv[1]))
