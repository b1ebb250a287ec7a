"""Translates errors of the operating system's keyring.

Backends raise platform-specific exceptions. Their messages are not shown, since they may quote the
secret.

Sources: Microsoft's documentation, "CREDENTIALW structure" and "System Error Codes"; Apple's
documentation, "Security Framework Result Codes"; freedesktop.org, "Secret Service API".
"""

from __future__ import annotations

import re

# CRED_MAX_CREDENTIAL_BLOB_SIZE; the credential is stored as UTF-16.
WINDOWS_LIMIT_BYTES = 2560
_TOO_LONG = 1783
_WINDOWS = {
    _TOO_LONG: (
        f"Windows Credential Manager stores at most {WINDOWS_LIMIT_BYTES:,} bytes per credential"
    ),
    5: "Windows denies access to Credential Manager",
    1312: "this logon session has no Credential Manager, as is usual over SSH",
}
_MACOS = {
    -128: "access to the keychain was denied",
    -25293: "macOS does not allow this Python to use the entry",
    -25307: "there is no default keychain",
    -25308: "the keychain is locked, and cannot prompt in this session; run "
    "`security unlock-keychain`",
}
_STATUS = re.compile(r"\((-\d+),")
_BY_CLASS = {
    "KeyringLocked": "it is locked, or access was denied",
    "LockedException": "it is locked",
    "PromptDismissedException": "it is locked, and the prompt to unlock it was dismissed",
    "NoKeyringError": "there is no keyring in this session",
    "SecretServiceNotAvailableException": "no secret service is running in this session",
}
_OF_DBUS = ("dbus", "jeepney", "secretstorage")


class KeyringError(Exception):
    """The keyring failed; the text states the reason without any secret."""


def keyring_error(error: Exception, stored: str = "") -> KeyringError:
    """Return the error for an exception of a backend.

    Args:
        error: the exception.
        stored: the text to be stored, which may be too long.
    """
    return KeyringError(_of_windows(error, stored) or _of_macos(error) or _by_class(error))


def _of_windows(error: Exception, stored: str) -> str:
    number = getattr(error, "winerror", None)
    if number is None and type(error).__module__.endswith("pywintypes"):
        number = next(iter(error.args), None)
    if not isinstance(number, int):
        return ""
    if number == _TOO_LONG and stored:
        size = len(stored.encode("utf-16-le"))
        return f"the credential needs {size:,} bytes, but {_WINDOWS[_TOO_LONG]}"
    return _WINDOWS.get(number, f"Windows reports error {number}")


def _of_macos(error: Exception) -> str:
    """Return the meaning of a macOS status, which is only in the exception's text."""
    if not type(error).__module__.startswith("keyring."):
        return ""
    found = _STATUS.search(str(error))
    if not found:
        return ""
    return _MACOS.get(int(found[1]), f"macOS reports status {found[1]}")


def _by_class(error: Exception) -> str:
    classes = type(error).__mro__
    known = next((_BY_CLASS[c.__name__] for c in classes if c.__name__ in _BY_CLASS), None)
    if known:
        return known
    name = type(error).__name__
    if any(c.__module__.partition(".")[0] in _OF_DBUS for c in classes):
        return f"the secret service does not respond over D-Bus ({name})"
    return f"its backend failed with {name}"
