"""Prompts on standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.cli.format.style import Style

Answer = TypeVar("Answer")

_YES_NO = {"y": True, "yes": True, "n": False, "no": False}


def confirm(question: str, style: Style) -> bool:
    """Prompt until the answer is yes or no; the default is no."""
    return choose(question, "[y/N]", _YES_NO, style)


def choose(question: str, choices: str, answers: Mapping[str, Answer], style: Style) -> Answer:
    """Prompt until the answer is one of several; the default is no.

    Args:
        question: the question.
        choices: what the prompt shows: ``[y/N]``.
        answers: the accepted answers, and their values.
        style: what standard error can show.

    Raises:
        click.Abort: the input ended.
    """
    while True:
        reply = ask(question, choices, style) or "n"
        if reply.lower() in answers:
            return answers[reply.lower()]
        *first, last = [answer for answer in answers if len(answer) == 1]
        click.echo(f"answer {', '.join(first)} or {last}", err=True)


def ask(question: str, choices: str, style: Style) -> str:
    """Prompt once; return the answer without surrounding whitespace.

    Raises:
        click.Abort: the input ended.
    """
    if style.width is None:
        reply = click.prompt(f"{question} {choices}".rstrip(), "", show_default=False, err=True)
        return str(reply).strip()
    from ghcrctl.cli.console import prompt

    return prompt(question, choices, style)
