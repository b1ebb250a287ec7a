"""Foreign words in our messages.

What belongs here: how much of a stranger's text an error repeats. What does not: which characters
may reach a terminal; whoever prints sees to that (``cli.format.safe``).
"""

from __future__ import annotations

# Characters; more than any media type or digest that anybody means has.
LONGEST_QUOTE = 200


def shortened(text: str) -> str:
    """Return a text, or the start of one that would fill screens."""
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}..."
