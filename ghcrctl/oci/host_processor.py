"""The name of this machine's processor, as reported by the operating system."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Linux uses one name for both byte orders (arch/mips/Makefile, UTS_MACHINE).
_MIPS = frozenset({"mips", "mips64"})


def machine_name(
    environ: Mapping[str, str] | None = None, *, byte_order: str = sys.byteorder
) -> str:
    """Return the name of this machine's processor; empty if the system does not report it.

    Args:
        environ: the environment, which contains the name on Windows; by default Python determines
            it.
        byte_order: ``little`` or ``big``.
    """
    if hasattr(os, "uname"):
        machine = os.uname().machine
        return f"{machine}le" if machine in _MIPS and byte_order == "little" else machine
    # The first variable only exists for a 32-bit process on a 64-bit system (Microsoft's
    # documentation, "WOW64 Implementation Details").
    for name in ("PROCESSOR_ARCHITEW6432", "PROCESSOR_ARCHITECTURE"):
        if environ and environ.get(name):
            return environ[name]
    from platform import machine as of_system

    return of_system()
