"""Commands of docker and its peers that ghcrctl does not have, and what to use instead.

The advice is one sentence, plus one command if there is an equivalent. It never suggests a command
that deletes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Advice:
    """Advice on a command that ghcrctl does not have.

    Args:
        message: why ghcrctl does not have it; follows its name in the error.
        hint: the command to use instead.
    """

    message: str
    hint: str | None = None


_CONTAINERS = Advice(
    "is for containers; ghcrctl only handles images",
    "write an image's files to a directory: ghcrctl export --to DIR IMAGE; "
    "load it into docker: ghcrctl copy IMAGE docker-daemon:",
)
_ENGINE = Advice("manages a daemon; ghcrctl has none")
_FILES = Advice(
    "is for containers; ghcrctl reads files directly from images",
    "write them to a directory: ghcrctl export --to DIR IMAGE",
)
_CHANGES = Advice(
    "is for containers; ghcrctl changes images directly, with `append` and `mutate`",
    "see `ghcrctl append --help`",
)
_SEARCH = Advice(
    "is not supported: registries cannot be searched, but GitHub lists packages",
    "list the packages of an owner: ghcrctl packages list OWNER",
)
_TRUST = Advice(
    "is for Docker Content Trust, which is not supported",
    "show the signatures of an image: ghcrctl referrers IMAGE",
)
_CONTEXT = Advice("selects a daemon; ghcrctl has none, but --store DIR selects a local store")
_BUILD = Advice("manages builders; ghcrctl uses what is installed", "ghcrctl build -t NAME PATH")
_TOOLS = Advice(
    "is split into `manifest inspect`, `manifest create` and `copy`",
    "see `ghcrctl manifest --help`",
)
_INSPECT = Advice("has another name here", "ghcrctl manifest inspect IMAGE")
_CREATE = Advice(
    "is `copy` for one image and `manifest create` for multiple images",
    "ghcrctl copy SOURCE TARGET",
)
_TAGS = Advice("has another name here", "ghcrctl tags IMAGE")
_AUTH = Advice("has another name here", "ghcrctl login REGISTRY")
_SCOUT = Advice(
    "is not supported: ghcrctl does not scan for vulnerabilities",
    "show attached reports and SBOMs: ghcrctl referrers IMAGE",
)
_SBOM = Advice(
    "is not supported: ghcrctl does not generate SBOMs",
    "show attached SBOMs: ghcrctl referrers IMAGE",
)

_ADVICE = {
    **dict.fromkeys(
        (
            *("compose", "container", "create", "exec", "events", "kill", "logs", "network"),
            *("pause", "port", "ps", "rename", "restart", "rm", "run", "start", "stats", "stop"),
            *("top", "unpause", "update", "volume", "wait", "pod", "machine", "kube", "service"),
            *("stack", "swarm", "node", "config", "secret", "checkpoint", "attach"),
        ),
        _CONTAINERS,
    ),
    **dict.fromkeys(
        ("plugin", "extension", "desktop", "debug", "model", "mcp", "offload", "ai"), _ENGINE
    ),
    **dict.fromkeys(("cp", "mount", "unmount", "umount"), _FILES),
    "commit": _CHANGES,
    **dict.fromkeys(("search", "catalog", "hub"), _SEARCH),
    "trust": _TRUST,
    "context": _CONTEXT,
    **dict.fromkeys(("builder", "buildx", "bake"), _BUILD),
    **dict.fromkeys(("buildx imagetools", "imagetools"), _TOOLS),
    **dict.fromkeys(("buildx imagetools inspect", "imagetools inspect"), _INSPECT),
    **dict.fromkeys(("buildx imagetools create", "imagetools create"), _CREATE),
    "list-tags": _TAGS,
    "auth": _AUTH,
    "scout": _SCOUT,
    "sbom": _SBOM,
    "system events": _ENGINE,
    **dict.fromkeys(("container export", "container cp"), _FILES),
    "container commit": _CHANGES,
}
# Never suggest these for a typo.
_DESTRUCTIVE = frozenset(
    ("apply", "delete", "logout", "prune", "remove", "rm", "rmi", "sync", "untag")
)


def advice_for(words: Sequence[str]) -> tuple[str, Advice | None]:
    """Return the other tool's command that a command line starts with, and advice on it.

    Args:
        words: the command line, without options.
    """
    for length in (3, 2, 1):
        name = " ".join(words[:length])
        if name in _ADVICE:
            return name, _ADVICE[name]
    return "", None


def closest_command(word: str, commands: Iterable[str]) -> str | None:
    """Return the closest command to a mistyped word; ``None`` if no single one is close.

    Args:
        word: the mistyped word.
        commands: the existing commands; those that delete are never returned.
    """
    allowed = 1 if len(word) < 6 else 2
    if len(word) < 3:
        return None
    distances = {name: _distance(word.lower(), name) for name in commands}
    best = min(distances.values(), default=allowed + 1)
    near = [name for name, distance in distances.items() if distance == best]
    if best > allowed or len(near) != 1 or near[0] in _DESTRUCTIVE:
        return None
    return near[0]


def _distance(first: str, second: str) -> int:
    """Return the edit distance, where a swap of neighbours counts as one edit."""
    before: list[int] = []
    row = list(range(len(second) + 1))
    for i, letter in enumerate(first, 1):
        older, before, row = before, row, [i]
        for j, other in enumerate(second, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == second[j - 2] and first[i - 2] == other:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]
