"""Counts with a noun in the singular or plural."""

from __future__ import annotations


def quantity(count: int, noun: str) -> str:
    """Return a count with its noun: ``1 image``, ``2 images``.

    Args:
        count: the number.
        noun: the singular of a noun whose plural ends in ``s``.
    """
    return f"{count} {noun if count == 1 else f'{noun}s'}"
