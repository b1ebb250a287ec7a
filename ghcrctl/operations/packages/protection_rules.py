"""Apply the protection rules of a run, and track whether each rule matched anything."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from ghcrctl.errors import GhcrctlError
from ghcrctl.oci.tag_pattern import parse_pattern
from ghcrctl.operations.common.rule_matches import RuleMatches
from ghcrctl.operations.packages.protect_files import find_digests, find_tags, read_protect_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from ghcrctl.github.graph import Graph
    from ghcrctl.operations.packages.package_names import PackageName
    from ghcrctl.operations.packages.rules import Rules


class ProtectionRules:
    """The rules of a run that protect versions: `exclude`, `protect-digest` and `protect-file`.

    A rule without a match is probably a typo, and the image it should protect would be deleted.

    Args:
        rules: all rules of the run.

    Raises:
        NotFoundError: a file does not exist.
        StoreError: a file cannot be read.
    """

    def __init__(self, rules: Iterable[Rules]) -> None:
        paths = dict.fromkeys(path for some in rules for path in some.files)
        self._texts: dict[Path, str] = {path: read_protect_files([path]) for path in paths}
        self._matches = RuleMatches()

    def text(self, rules: Rules) -> str:
        """Return the text of all files in the rules."""
        return "\n".join(self._texts[path] for path in rules.files)

    def record(self, rules: Rules, named: PackageName, graph: Graph) -> None:
        """Record which rules match something in a package."""
        for rule, matches in self._checks(rules):
            self._matches.record(rule, partial(matches, named, graph))

    @contextmanager
    def skipping(self, rules: Rules) -> Iterator[None]:
        """Count rules as matched if reading a package fails: matches in it are unknown."""
        try:
            yield
        except GhcrctlError:
            self._matches.skip(rule for rule, _ in self._checks(rules))
            raise

    def warnings(self) -> list[str]:
        """Return a warning for each rule that matches nothing in its packages."""
        return [
            f"{rule} matches nothing in its packages, so it protects nothing"
            for rule in self._matches.unmatched
        ]

    def _checks(self, rules: Rules) -> Iterator[tuple[str, Callable[[PackageName, Graph], bool]]]:
        for pattern in rules.policy.exclude:
            yield f"exclude `{pattern}`", partial(_matches_tag, parse_pattern(pattern))
        for digest in sorted(rules.policy.protected):
            yield f"protect-digest `{digest}`", partial(_is_version, digest)
        for path in rules.files:
            yield f"protect-file `{path}`", partial(_names_a_version, self._texts[path])


def _matches_tag(fits: Callable[[str], bool], _: PackageName, graph: Graph) -> bool:
    return any(fits(tag) for version in graph.versions.values() for tag in version.tags)


def _is_version(digest: str, _: PackageName, graph: Graph) -> bool:
    return digest in graph.versions


def _names_a_version(text: str, named: PackageName, graph: Graph) -> bool:
    tags = find_tags(text, named)
    tagged = any(tags.intersection(version.tags) for version in graph.versions.values())
    return tagged or not find_digests(text).isdisjoint(graph.versions)
