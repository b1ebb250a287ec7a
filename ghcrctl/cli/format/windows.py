"""The console of Windows, which obeys escape sequences only where a program asks it to.

What belongs here: asking. Source: Microsoft's documentation, "SetConsoleMode function".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import TextIO

_STANDARD_OUTPUT, _STANDARD_ERROR = -11, -12
_ENABLE_VIRTUAL_TERMINAL_PROCESSING = 0x4


def obey_sequences(stream: TextIO, kernel: Any = None) -> bool:
    """Ask the console of a stream to obey escape sequences; tell whether it does.

    Args:
        stream: standard output or standard error.
        kernel: Windows' kernel32.
    """
    import ctypes

    if not stream.isatty():
        # A file or a pipe, where somebody forces colour, takes everything.
        return True
    kernel = kernel or ctypes.windll.kernel32  # type: ignore[attr-defined, unused-ignore] # of Windows only
    number = _STANDARD_ERROR if stream.fileno() == 2 else _STANDARD_OUTPUT
    console = kernel.GetStdHandle(number)
    mode = ctypes.c_ulong()
    if not kernel.GetConsoleMode(console, ctypes.byref(mode)):
        # A terminal of another system's kind, such as that of git for Windows.
        return True
    wanted = mode.value | _ENABLE_VIRTUAL_TERMINAL_PROCESSING
    return bool(mode.value == wanted or kernel.SetConsoleMode(console, wanted))
