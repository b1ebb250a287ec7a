"""The nodes of a parsed template. An ``offset`` is a position in the template (characters)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Literal:
    """A string, number or bool in the template; ``None`` is ``nil``."""

    offset: int
    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Dot:
    """The current value."""

    offset: int


@dataclass(frozen=True, slots=True)
class Fields:
    """``.A.B``, possibly after a variable or a parenthesis (``base``)."""

    offset: int
    names: tuple[str, ...]
    base: Operand | None = None


@dataclass(frozen=True, slots=True)
class Variable:
    """``$`` or ``$name``."""

    offset: int
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """The name of a function, as a command or an argument."""

    offset: int
    name: str


@dataclass(frozen=True, slots=True)
class Command:
    """The operands between two bars of a pipeline."""

    offset: int
    operands: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands that pass on their values, and the variables that the last value is assigned to."""

    offset: int
    commands: tuple[Command, ...]
    names: tuple[str, ...] = ()
    declares: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """Text between actions."""

    offset: int
    text: str


@dataclass(frozen=True, slots=True)
class Action:
    """``{{pipeline}}``."""

    offset: int
    pipeline: Pipeline


@dataclass(frozen=True, slots=True)
class Branch:
    """``if``, ``with`` or ``range``, with its ``else`` branch."""

    offset: int
    keyword: str
    pipeline: Pipeline
    then: tuple[Node, ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Inclusion:
    """``{{template "name" pipeline}}``."""

    offset: int
    name: str
    pipeline: Pipeline | None


@dataclass(frozen=True, slots=True)
class Jump:
    """``{{break}}`` or ``{{continue}}``."""

    offset: int
    keyword: str


Operand: TypeAlias = "Literal | Dot | Fields | Variable | Call | Pipeline"
Node: TypeAlias = "Text | Action | Branch | Inclusion | Jump"


@dataclass(frozen=True, slots=True)
class Program:
    """A whole template: its nodes, and the templates that it defines, by name."""

    body: tuple[Node, ...]
    definitions: Mapping[str, tuple[Node, ...]]
