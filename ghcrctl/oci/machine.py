"""The processor of this machine, as its system names it.

What belongs here: asking the system. What does not: the names of images' architectures
(``platform``).
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Linux names the two byte orders of these alike (its arch/mips/Makefile, UTS_MACHINE).
_MIPS = frozenset({"mips", "mips64"})


def machine_name(
    environ: Mapping[str, str] | None = None, *, byte_order: str = sys.byteorder
) -> str:
    """Return the name of this machine's processor; empty where the system does not report it.

    Args:
        environ: the environment, in which Windows has the name; by default it is left to Python to
            find out.
        byte_order: ``little`` or ``big``.
    """
    if hasattr(os, "uname"):
        machine = os.uname().machine
        return f"{machine}le" if machine in _MIPS and byte_order == "little" else machine
    # A 32-bit process on a 64-bit system has both (Microsoft's documentation, "WOW64
    # Implementation Details").
    for name in ("PROCESSOR_ARCHITEW6432", "PROCESSOR_ARCHITECTURE"):
        if environ and environ.get(name):
            return environ[name]
    from platform import machine as of_system

    return of_system()
