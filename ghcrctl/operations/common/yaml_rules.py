"""Read YAML rule files; duplicate keys, aliases and deep nesting are errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ghcrctl.errors import UsageError
from ghcrctl.oci.quotes import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import yaml

# Maximum nesting of lists and tables; rule files use four levels.
_MAX_DEPTH = 20


def read_yaml(raw: bytes, path: Path) -> Any:
    """Read a YAML document.

    Args:
        raw: the content of the file.
        path: the file, for errors.

    Raises:
        UsageError: the text is malformed, has a duplicate key or an alias, or is nested too deeply.
    """
    import yaml

    try:
        text = raw.decode()
        _check_shape(yaml.parse(text, yaml.SafeLoader), path)
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not valid YAML: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    """Return why a document is not valid YAML, and on which line."""
    problem = getattr(error, "problem", None)
    mark = getattr(error, "problem_mark", None)
    if problem and mark:
        return f"{problem} on line {mark.line + 1}"
    return " ".join(str(error).split())


def _check_shape(events: Iterable[yaml.Event], path: Path) -> None:
    """Reject duplicate keys, and aliases and nesting that could exhaust memory or time."""
    import yaml

    open_: list[_Collection] = []
    for event in events:
        if isinstance(event, yaml.AliasEvent):
            raise UsageError(f"cannot read {path}: YAML aliases (`*name`) are not supported")
        if isinstance(event, yaml.CollectionEndEvent):
            open_.pop()
        elif isinstance(event, yaml.NodeEvent):
            if open_:
                open_[-1].add(event, path)
            if isinstance(event, yaml.CollectionStartEvent):
                open_.append(_Collection(is_mapping=isinstance(event, yaml.MappingStartEvent)))
        if len(open_) > _MAX_DEPTH:
            raise UsageError(f"cannot read {path}: it is nested too deeply")


class _Collection:
    """A list or mapping that is being read, with the lines of its keys."""

    def __init__(self, *, is_mapping: bool) -> None:
        self._is_key = is_mapping
        self._is_mapping = is_mapping
        self._lines: dict[str, int] = {}

    def add(self, event: yaml.NodeEvent, path: Path) -> None:
        """Check the next key, value or item.

        YAML 1.2, section 3.2.1.3 forbids duplicate keys; PyYAML silently keeps the last one.
        """
        import yaml

        if self._is_key and isinstance(event, yaml.ScalarEvent):
            line = event.start_mark.line + 1 if event.start_mark else 0
            if event.value in self._lines:
                first = self._lines[event.value]
                also = f", first used on line {first}" if first != line else ""
                raise UsageError(
                    f"cannot read {path}: duplicate key `{shortened(event.value)}` "
                    f"on line {line}{also}"
                )
            self._lines[event.value] = line
        self._is_key = self._is_mapping and not self._is_key
