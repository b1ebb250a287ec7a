"""Passwords from standard input."""

from __future__ import annotations

import sys

from ghcrctl.errors import UsageError

# A token has well under a hundred characters, an identity token a few thousand.
_LONGEST_PASSWORD = 64 * 1024


def read_password() -> str:
    """Read a password from standard input, without the line ending, as docker does.

    Raises:
        UsageError: the text is longer than any password, or is not valid text.
    """
    try:
        text = sys.stdin.read(_LONGEST_PASSWORD + 3)
        # In the C locale, Python decodes invalid bytes to surrogates, which cannot be encoded.
        text.encode()
    except UnicodeError:
        raise UsageError("the password on standard input is not valid text") from None
    secret = text.removesuffix("\n").removesuffix("\r")
    if len(secret) > _LONGEST_PASSWORD:
        raise UsageError(
            f"the password on standard input is longer than {_LONGEST_PASSWORD} characters"
        )
    return secret
