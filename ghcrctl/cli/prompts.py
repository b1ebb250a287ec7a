"""Yes-or-no prompts."""

from __future__ import annotations

import click

_ANSWERS = {"y": True, "yes": True, "n": False, "no": False}


def confirm(question: str) -> bool:
    """Prompt on standard error until the answer is yes or no; the default is no."""
    while True:
        shown = f"{question} [y/N]"
        reply = str(click.prompt(shown, default="n", show_default=False, err=True))
        answer = _ANSWERS.get(reply.strip().lower())
        if answer is not None:
            return answer
        click.echo("answer y or n", err=True)
