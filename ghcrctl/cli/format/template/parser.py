"""Parse the text, control structures and definitions of templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.cli.format.template.expressions import ExpressionParser
from ghcrctl.cli.format.template.faults import TemplateFaultError
from ghcrctl.cli.format.template.lexer import Kind, Token, tokenize
from ghcrctl.cli.format.template.literals import unquote
from ghcrctl.cli.format.template.nodes import (
    Action,
    Branch,
    Inclusion,
    Jump,
    Node,
    Program,
    Text,
)

if TYPE_CHECKING:
    from collections.abc import Collection

_CONTROLS = frozenset({"if", "range", "with"})


def parse(text: str, functions: Collection[str]) -> Program:
    """Parse a template.

    Args:
        text: the template.
        functions: the names of the functions.

    Raises:
        TemplateFaultError: the syntax is invalid, or a function is unknown.
    """
    parser = _Parser(tokenize(text), functions)
    body, _ = parser.block(ends=frozenset())
    return Program(body, parser.definitions)


class _Parser(ExpressionParser):
    def __init__(self, tokens: list[Token], functions: Collection[str]) -> None:
        super().__init__(tokens, functions)
        self.definitions: dict[str, tuple[Node, ...]] = {}
        self._ranges = 0
        self._blocks = 0

    def block(
        self, *, ends: frozenset[str], opener: Token | None = None
    ) -> tuple[tuple[Node, ...], str]:
        """Parse nodes up to and including one of the keywords in `ends`."""
        nodes: list[Node] = []
        while self.peek().kind is not Kind.END:
            token = self.next()
            if token.kind is Kind.TEXT:
                nodes.append(Text(token.offset, token.source))
                continue
            keyword = self._keyword()
            if keyword is not None and keyword.source in ends:
                return tuple(nodes), keyword.source
            node = self._action() if keyword is None else self._statement(keyword)
            if node is not None:
                nodes.append(node)
        if opener is not None:
            raise TemplateFaultError(
                f"this {opener.source} has no {{{{end}}}}", offset=opener.offset
            )
        return tuple(nodes), ""

    def _keyword(self) -> Token | None:
        self.skip_space()
        return self.next() if self.peek().kind is Kind.KEYWORD else None

    def _action(self) -> Action:
        pipeline = self.pipeline(Kind.RIGHT, context="command")
        return Action(pipeline.offset, pipeline)

    def _statement(self, keyword: Token) -> Node | None:
        self.enter(keyword.offset)
        node: Node | None
        if keyword.source in _CONTROLS:
            node = self._branch(keyword)
        elif keyword.source in ("break", "continue"):
            node = self._jump(keyword)
        elif keyword.source == "template":
            node = self._inclusion(keyword)
        elif keyword.source in ("define", "block"):
            node = self._definition(keyword)
        else:
            raise TemplateFaultError(f"unexpected {{{{{keyword.source}}}}}", offset=keyword.offset)
        self.leave()
        return node

    def _branch(self, keyword: Token) -> Branch:
        outer = len(self.variables)
        self._blocks += 1
        is_range = keyword.source == "range"
        pipeline = self.pipeline(Kind.RIGHT, context=keyword.source)
        self._ranges += is_range
        then, end = self.block(ends=frozenset({"end", "else"}), opener=keyword)
        self._ranges -= is_range
        otherwise: tuple[Node, ...] = ()
        if end == "else":
            otherwise = self._otherwise(keyword)
        else:
            self._close()
        self._blocks -= 1
        del self.variables[outer:]
        return Branch(keyword.offset, keyword.source, pipeline, then, otherwise)

    def _otherwise(self, keyword: Token) -> tuple[Node, ...]:
        chained = self._keyword()
        if chained is None:
            self._close()
            nodes, _ = self.block(ends=frozenset({"end"}), opener=keyword)
            self._close()
            return nodes
        if chained.source != keyword.source or keyword.source == "range":
            reason = f"{{{{else {chained.source}}}}} cannot follow {keyword.source}"
            raise TemplateFaultError(reason, offset=chained.offset)
        self.enter(chained.offset)
        branch = self._branch(chained)
        self.leave()
        return (branch,)

    def _jump(self, keyword: Token) -> Jump:
        if not self._ranges:
            reason = f"{{{{{keyword.source}}}}} outside {{{{range}}}}"
            raise TemplateFaultError(reason, offset=keyword.offset)
        self._close()
        return Jump(keyword.offset, keyword.source)

    def _inclusion(self, keyword: Token) -> Inclusion:
        name = self._name(keyword)
        self.skip_space()
        pipeline = None
        if self.peek().kind is Kind.RIGHT:
            self.next()
        else:
            pipeline = self.pipeline(Kind.RIGHT, context="template")
        return Inclusion(keyword.offset, name, pipeline)

    def _definition(self, keyword: Token) -> Inclusion | None:
        is_block = keyword.source == "block"
        if not is_block and self._blocks:
            raise TemplateFaultError("{{define}} inside another block", offset=keyword.offset)
        name = self._name(keyword)
        if name in self.definitions:
            raise TemplateFaultError(f'"{name}" is defined twice', offset=keyword.offset)
        pipeline = self.pipeline(Kind.RIGHT, context="block") if is_block else None
        if not is_block:
            self._close()
        outer, self.variables = self.variables, ["$"]
        ranges, self._ranges = self._ranges, 0
        self._blocks += 1
        body, _ = self.block(ends=frozenset({"end"}), opener=keyword)
        self._close()
        self._blocks -= 1
        self.variables, self._ranges = outer, ranges
        self.definitions[name] = body
        return Inclusion(keyword.offset, name, pipeline) if is_block else None

    def _name(self, keyword: Token) -> str:
        self.skip_space()
        token = self.next()
        if token.kind is not Kind.STRING:
            reason = f"{keyword.source} needs a quoted name"
            raise TemplateFaultError(reason, offset=token.offset)
        with self.located(token):
            return unquote(token.source)

    def _close(self) -> None:
        self.skip_space()
        token = self.next()
        if token.kind is not Kind.RIGHT:
            raise TemplateFaultError(f"unexpected {token.source!r}", offset=token.offset)
