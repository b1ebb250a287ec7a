"""Text for tables in Markdown."""

from __future__ import annotations

from ghcrctl.cli.format.printable import printable


def cell(text: str) -> str:
    """Return text as a table cell, with all Markdown characters escaped."""
    line = printable(" ".join(text.split()))
    return "".join(f"&#{ord(c)};" if c in "|<>&`*_[]\\" else c for c in line)
