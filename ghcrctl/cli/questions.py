"""Questions that a user answers with yes or no."""

from __future__ import annotations

import click

_ANSWERS = {"y": True, "yes": True, "n": False, "no": False}


def confirm(question: str) -> bool:
    """Ask on standard error until the answer is yes or no; no is the default."""
    while True:
        shown = f"{question} [y/N]"
        reply = str(click.prompt(shown, default="n", show_default=False, err=True))
        answer = _ANSWERS.get(reply.strip().lower())
        if answer is not None:
            return answer
        click.echo("answer y or n", err=True)
