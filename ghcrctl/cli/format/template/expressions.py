"""Parse the pipelines, commands and operands inside actions."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ghcrctl.cli.format.template.faults import TemplateFaultError
from ghcrctl.cli.format.template.lexer import Kind, Token
from ghcrctl.cli.format.template.literals import read_character, read_number, unquote
from ghcrctl.cli.format.template.nodes import (
    Call,
    Command,
    Dot,
    Fields,
    Literal,
    Operand,
    Pipeline,
    Variable,
)
from ghcrctl.cli.format.template.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

# Templates do not need more, and deeper nesting could overflow Python's stack.
_MAXIMUM_DEPTH = 60


class ExpressionParser:
    """A parser of pipelines.

    Args:
        tokens: the tokens of the template; the last one is END.
        functions: the names of the functions.
    """

    def __init__(self, tokens: list[Token], functions: Collection[str]) -> None:
        self._tokens = tokens
        self._at = 0
        self._functions = functions
        self._depth = 0
        self.variables = ["$"]

    def peek(self) -> Token:
        """Return the next token without consuming it."""
        return self._tokens[self._at]

    def next(self) -> Token:
        """Consume and return the next token; END is never consumed."""
        token = self._tokens[self._at]
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    def skip_space(self) -> None:
        """Consume a space, if there is one."""
        if self.peek().kind is Kind.SPACE:
            self.next()

    def enter(self, offset: int) -> None:
        """Enter a level of nesting.

        Raises:
            TemplateFaultError: the nesting is too deep.
        """
        self._depth += 1
        if self._depth > _MAXIMUM_DEPTH:
            raise TemplateFaultError(f"more than {_MAXIMUM_DEPTH} levels of nesting", offset=offset)

    def leave(self) -> None:
        """Leave a level of nesting."""
        self._depth -= 1

    @contextmanager
    def located(self, token: Token) -> Iterator[None]:
        """Set the position of a token on errors from the block."""
        try:
            yield
        except TemplateFaultError as fault:
            fault.offset = token.offset
            raise

    def pipeline(self, closing: Kind, *, context: str) -> Pipeline:
        """Parse a pipeline and the token that closes it.

        Args:
            closing: RIGHT or CLOSE.
            context: what contains the pipeline: ``"command"``, ``"range"``...

        Raises:
            TemplateFaultError: the pipeline is empty or malformed.
        """
        self.skip_space()
        start = self.peek()
        names, declares = self._declaration(context)
        commands: list[Command] = []
        while True:
            self.skip_space()
            token = self.peek()
            if token.kind is closing:
                break
            commands.append(self._command(is_first=not commands))
            self.skip_space()
            if self.peek().kind is Kind.PIPE:
                bar = self.next()
                self.skip_space()
                if self.peek().kind in (Kind.RIGHT, Kind.CLOSE, Kind.PIPE):
                    raise TemplateFaultError("nothing follows this |", offset=bar.offset)
        if not commands:
            raise TemplateFaultError(f"missing value for {context}", offset=token.offset)
        self.next()
        if declares:
            self.variables.extend(names)
        return Pipeline(start.offset, tuple(commands), names, declares)

    def _declaration(self, context: str) -> tuple[tuple[str, ...], bool]:
        start, names = self._at, list[Token]()
        while self.peek().kind is Kind.VARIABLE:
            names.append(self.next())
            self.skip_space()
            sign = self.next()
            if sign.kind in (Kind.DECLARE, Kind.ASSIGN):
                return self._checked_names(names, sign, context)
            if sign.kind is not Kind.COMMA:
                break
            self.skip_space()
        self._at = start
        return (), False

    def _checked_names(
        self, names: list[Token], sign: Token, context: str
    ) -> tuple[tuple[str, ...], bool]:
        if len(names) > (2 if context == "range" else 1):
            raise TemplateFaultError("too many variables", offset=names[0].offset)
        declares = sign.kind is Kind.DECLARE
        for token in names:
            if not declares:
                self._known_variable(token)
        return tuple(token.source for token in names), declares

    def _known_variable(self, token: Token) -> None:
        if token.source not in self.variables:
            reason = f"undefined variable {token.source}"
            hint = f"give it a value first: {{{{{token.source} := ...}}}}"
            raise TemplateFaultError(reason, offset=token.offset, hint=hint)

    def _command(self, *, is_first: bool) -> Command:
        start = self.peek()
        operands: list[Operand] = []
        while self.peek().kind not in (Kind.PIPE, Kind.RIGHT, Kind.CLOSE):
            operands.append(self._operand())
            if self.peek().kind not in (Kind.SPACE, Kind.PIPE, Kind.RIGHT, Kind.CLOSE):
                raise self._unexpected(self.peek())
            self.skip_space()
        if not operands:
            raise self._unexpected(start)
        if not is_first and isinstance(operands[0], (Literal, Dot)):
            reason = f"{start.source} is not a function, so nothing can be piped to it"
            raise TemplateFaultError(reason, offset=start.offset)
        return Command(start.offset, tuple(operands))

    def _operand(self) -> Operand:
        token = self.peek()
        base = self._term()
        names: list[str] = []
        while self.peek().kind is Kind.FIELD:
            names.append(self.next().source[1:])
        if isinstance(base, Fields):
            return Fields(base.offset, base.names + tuple(names), base.base)
        if names and isinstance(base, (Literal, Dot)):
            raise TemplateFaultError(f"{token.source} has no fields", offset=token.offset)
        return Fields(base.offset, tuple(names), base) if names else base

    def _term(self) -> Operand:
        token = self.next()
        if token.kind is Kind.IDENTIFIER:
            return self._call(token)
        if token.kind is Kind.FIELD:
            return Fields(token.offset, (token.source[1:],))
        if token.kind is Kind.DOT:
            return Dot(token.offset)
        if token.kind is Kind.VARIABLE:
            self._known_variable(token)
            return Variable(token.offset, token.source)
        if token.kind is Kind.OPEN:
            self.enter(token.offset)
            pipeline = self.pipeline(Kind.CLOSE, context="parentheses")
            self.leave()
            return pipeline
        return self._literal(token)

    def _literal(self, token: Token) -> Literal:
        with self.located(token):
            if token.kind is Kind.STRING:
                return Literal(token.offset, unquote(token.source))
            if token.kind is Kind.NUMBER:
                return Literal(token.offset, read_number(token.source))
            if token.kind is Kind.CHARACTER:
                return Literal(token.offset, read_character(token.source))
        if token.kind is Kind.BOOL:
            return Literal(token.offset, token.source == "true")
        if token.kind is Kind.NIL:
            return Literal(token.offset, None)
        raise self._unexpected(token)

    def _call(self, token: Token) -> Call:
        if token.source not in self._functions:
            hint = nearest(token.source, self._functions, label="the functions are")
            reason = f'there is no function "{token.source}"'
            raise TemplateFaultError(reason, offset=token.offset, hint=hint)
        return Call(token.offset, token.source)

    def _unexpected(self, token: Token) -> TemplateFaultError:
        what = "end of the template" if token.kind is Kind.END else f'"{token.source}"'
        return TemplateFaultError(f"unexpected {what}", offset=token.offset)
