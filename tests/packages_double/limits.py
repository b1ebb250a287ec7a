"""The rate limits of GitHub's API."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Limits:
    """What GitHub does at times, on demand.

    Args:
        remaining: requests of this hour that are left; ``None`` for as many as one likes.
        reset: seconds since 1970 when there are more.
        secondary: how many of the next requests are refused for being too many at once.
        errors: how many of the next requests fail with status 500.
        popular: digests that were downloaded too often.
        tags_come_back: whether a restored version has its tags again.
    """

    remaining: int | None = None
    reset: float = 0.0
    secondary: int = 0
    errors: int = 0
    popular: set[str] = field(default_factory=set)
    tags_come_back: bool = True
