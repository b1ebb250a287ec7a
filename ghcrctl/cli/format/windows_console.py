"""Turn on escape sequences in the Windows console, which ignores them by default.

Source: Microsoft's documentation, "SetConsoleMode function".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import TextIO

_STANDARD_OUTPUT, _STANDARD_ERROR = -11, -12
_ENABLE_VIRTUAL_TERMINAL_PROCESSING = 0x4


def enable_sequences(stream: TextIO, kernel: Any = None) -> bool:
    """Turn on escape sequences for the console of a stream; return whether they are on.

    Args:
        stream: standard output or standard error.
        kernel: kernel32 of Windows.
    """
    import ctypes

    if not stream.isatty():
        # With forced colors, files and pipes get the sequences too.
        return True
    kernel = kernel or ctypes.windll.kernel32  # type: ignore[attr-defined, unused-ignore] # Windows only
    number = _STANDARD_ERROR if stream.fileno() == 2 else _STANDARD_OUTPUT
    console = kernel.GetStdHandle(number)
    mode = ctypes.c_ulong()
    if not kernel.GetConsoleMode(console, ctypes.byref(mode)):
        # This is a Unix-style terminal, such as mintty in Git for Windows.
        return True
    new_mode = mode.value | _ENABLE_VIRTUAL_TERMINAL_PROCESSING
    return bool(mode.value == new_mode or kernel.SetConsoleMode(console, new_mode))
