"""Shortens untrusted text in messages.

The CLI escapes characters that must not reach a terminal.
"""

from __future__ import annotations

# Longer than any real media type or digest (characters).
LONGEST_QUOTE = 200


def shortened(text: str) -> str:
    """Return text, truncated if it is too long for a message."""
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}..."
