"""Apply a parsed template to data."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ghcrctl.cli.format.template.access import field, iterate
from ghcrctl.cli.format.template.faults import TemplateFaultError
from ghcrctl.cli.format.template.kinds import NO_VALUE, is_true
from ghcrctl.cli.format.template.nodes import (
    Action,
    Branch,
    Call,
    Command,
    Dot,
    Fields,
    Inclusion,
    Jump,
    Literal,
    Node,
    Operand,
    Pipeline,
    Program,
    Text,
    Variable,
)
from ghcrctl.cli.format.template.print_values import show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ghcrctl.cli.format.template.arguments import Function

_DEEPEST_INCLUSION = 40
_MOST_STEPS = 1_000_000
_NOTHING_PIPED = object()


class Evaluation:
    """The evaluation of a program.

    Args:
        program: the parsed template.
        functions: the functions that the program calls, by name.
        clean: applied to values before they are written; ``None`` for nothing.
    """

    def __init__(
        self,
        program: Program,
        functions: Mapping[str, Function],
        clean: Callable[[str], str] | None,
    ) -> None:
        self.written: list[str] = []
        self._program = program
        self._functions = functions
        self._clean = clean
        self._variables: list[tuple[str, Any]] = []
        self._depth = 0
        self._steps = 0

    def run(self, data: Any) -> None:
        """Apply the program to data. `written` has the output, also after an error.

        Raises:
            TemplateFaultError: an action cannot be applied to the data.
        """
        self._variables = [("$", data)]
        self._walk(self._program.body, data)

    def _walk(self, nodes: tuple[Node, ...], dot: Any) -> str:
        """Apply nodes; on a jump, stop and return its keyword."""
        for node in nodes:
            self._step(node.offset)
            jump = self._node(node, dot)
            if jump:
                return jump
        return ""

    def _step(self, offset: int) -> None:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            reason = f"the template takes more than {_MOST_STEPS} steps"
            raise TemplateFaultError(reason, offset=offset)

    def _node(self, node: Node, dot: Any) -> str:
        if isinstance(node, Text):
            self.written.append(node.text)
        elif isinstance(node, Action):
            self._action(node, dot)
        elif isinstance(node, Inclusion):
            self._include(node, dot)
        elif isinstance(node, Jump):
            return node.keyword
        else:
            return self._branch(node, dot)
        return ""

    def _action(self, node: Action, dot: Any) -> None:
        value = self._pipeline(node.pipeline, dot)
        if not node.pipeline.names:
            text = show(value)
            self.written.append(text if self._clean is None else self._clean(text))

    def _branch(self, node: Branch, dot: Any) -> str:
        outer = len(self._variables)
        if node.keyword == "range":
            jump = self._range(node, dot)
        else:
            value = self._pipeline(node.pipeline, dot)
            nodes = node.then if is_true(value) else node.otherwise
            is_with = node.keyword == "with" and is_true(value)
            jump = self._walk(nodes, value if is_with else dot)
        del self._variables[outer:]
        return jump

    def _range(self, node: Branch, dot: Any) -> str:
        names, declares = node.pipeline.names, node.pipeline.declares
        value = self._value(node.pipeline, dot)
        outer, is_empty = len(self._variables), True
        with _located(node.pipeline.offset):
            pairs = iterate(value, len(names))
        for key, element in pairs:
            is_empty = False
            self._step(node.offset)
            self._bind(names, (key, element)[2 - len(names) :], declares=declares)
            jump = self._walk(node.then, element)
            del self._variables[outer:]
            if jump == "break":
                break
        return self._walk(node.otherwise, dot) if is_empty else ""

    def _include(self, node: Inclusion, dot: Any) -> None:
        body = self._program.definitions.get(node.name)
        if body is None:
            reason = f'there is no template "{node.name}"'
            raise TemplateFaultError(reason, offset=node.offset)
        if self._depth >= _DEEPEST_INCLUSION:
            reason = f"more than {_DEEPEST_INCLUSION} templates inside each other"
            raise TemplateFaultError(reason, offset=node.offset)
        inner = NO_VALUE if node.pipeline is None else self._pipeline(node.pipeline, dot)
        outer, self._variables = self._variables, [("$", inner)]
        self._depth += 1
        self._walk(body, inner)
        self._depth -= 1
        self._variables = outer

    def _bind(self, names: tuple[str, ...], values: tuple[Any, ...], *, declares: bool) -> None:
        for name, value in zip(names, values, strict=False):
            if declares:
                self._variables.append((name, value))
                continue
            at = max(i for i, (known, _) in enumerate(self._variables) if known == name)
            self._variables[at] = (name, value)

    def _pipeline(self, node: Pipeline, dot: Any) -> Any:
        value = self._value(node, dot)
        self._bind(node.names, (value,), declares=node.declares)
        return value

    def _value(self, node: Pipeline, dot: Any) -> Any:
        value: Any = _NOTHING_PIPED
        for command in node.commands:
            value = self._command(command, dot, value)
            value = NO_VALUE if value is None else value
        return value

    def _command(self, node: Command, dot: Any, piped: Any) -> Any:
        first, *rest = node.operands
        if isinstance(first, Call):
            return self._call(first, rest, dot, piped)
        if rest or piped is not _NOTHING_PIPED:
            reason = "not a function, so it takes no argument"
            raise TemplateFaultError(reason, offset=first.offset)
        if isinstance(first, Literal) and first.value is None:
            raise TemplateFaultError("nil is not a command", offset=first.offset)
        return self._operand(first, dot)

    def _call(self, node: Call, operands: list[Operand], dot: Any, piped: Any) -> Any:
        values: list[Any] = []
        for operand in operands:
            values.append(self._operand(operand, dot))
            if node.name in ("and", "or") and is_true(values[-1]) == (node.name == "or"):
                return values[-1]
        if piped is not _NOTHING_PIPED:
            values.append(piped)
        values = [None if value is NO_VALUE else value for value in values]
        with _located(node.offset):
            return self._functions[node.name].call(node.name, values)

    def _operand(self, node: Operand, dot: Any) -> Any:
        if isinstance(node, Literal):
            return node.value
        if isinstance(node, Dot):
            return dot
        if isinstance(node, Variable):
            return self._variable(node.name)
        if isinstance(node, Call):
            return self._call(node, [], dot, _NOTHING_PIPED)
        if isinstance(node, Pipeline):
            return self._pipeline(node, dot)
        return self._fields(node, dot)

    def _variable(self, name: str) -> Any:
        return next(value for known, value in reversed(self._variables) if known == name)

    def _fields(self, node: Fields, dot: Any) -> Any:
        value = dot if node.base is None else self._operand(node.base, dot)
        offset = node.offset
        for name in node.names:
            with _located(offset):
                value = field(value, name)
            # The position of a field after a variable or a parenthesis is unknown.
            offset += len(name) + 1 if node.base is None else 0
        return value


@contextmanager
def _located(offset: int) -> Iterator[None]:
    try:
        yield
    except TemplateFaultError as fault:
        if fault.offset is None:
            fault.offset = offset
        raise
