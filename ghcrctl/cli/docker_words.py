"""Words of docker and its peers that are no commands here, and what to use instead.

What belongs here: one sentence, and one command where one does the job. A command that deletes is
never suggested.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Advice:
    """What a user is told about a word that is no command.

    Args:
        message: what is wrong.
        hint: a command to use instead.
    """

    message: str
    hint: str | None = None


_CONTAINERS = Advice(
    "ghcrctl works with images; it does not run containers",
    "hand an image to docker: ghcrctl copy IMAGE docker-daemon:",
)
_ENGINE = Advice("ghcrctl has no daemon, so there is nothing to manage")
_COPIED = Advice(
    "ghcrctl reads files straight from images",
    "write them to a directory: ghcrctl export --to DIR IMAGE",
)
_CHANGED = Advice(
    "ghcrctl changes images without containers",
    "add files with `ghcrctl append`, or change the config with `ghcrctl mutate`",
)
_SEARCH = Advice(
    "registries cannot be searched; GitHub lists packages by owner",
    "list the packages of an owner: ghcrctl packages list OWNER",
)
_TRUST = Advice(
    "Docker Content Trust is not supported",
    "show an image's signatures: ghcrctl referrers IMAGE",
)
_CONTEXT = Advice(
    "ghcrctl has no daemon to choose; --store DIR or GHCRCTL_STORE chooses a local store"
)
_BUILD = Advice("ghcrctl builds with one command", "ghcrctl build -t NAME PATH")
_TOOLS = Advice(
    "registries are read and written by other commands",
    "see `ghcrctl manifest --help` and `ghcrctl copy --help`",
)
_INSPECTED = Advice(
    "registries are read by other commands",
    "print a manifest or an index: ghcrctl manifest inspect IMAGE",
)
_COPIED_REMOTELY = Advice(
    "images are copied with `copy`, and indexes are made with `manifest create`",
    "copy an image: ghcrctl copy SOURCE TARGET",
)
_TAGS = Advice("tags are listed by another command", "ghcrctl tags IMAGE")
_AUTH = Advice("credentials are managed by other commands", "ghcrctl login")

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
    **dict.fromkeys(("cp", "mount", "unmount", "umount"), _COPIED),
    "commit": _CHANGED,
    **dict.fromkeys(("search", "catalog", "hub"), _SEARCH),
    "trust": _TRUST,
    "context": _CONTEXT,
    **dict.fromkeys(("builder", "buildx", "bake"), _BUILD),
    "buildx imagetools": _TOOLS,
    "imagetools": _TOOLS,
    **dict.fromkeys(("buildx imagetools inspect", "imagetools inspect"), _INSPECTED),
    **dict.fromkeys(("buildx imagetools create", "imagetools create"), _COPIED_REMOTELY),
    **dict.fromkeys(("list-tags",), _TAGS),
    "auth": _AUTH,
    "scout": Advice(
        "vulnerabilities are not scanned here",
        "show attached reports and SBOMs: ghcrctl referrers IMAGE",
    ),
    "sbom": Advice("SBOMs are not generated here", "show attached SBOMs: ghcrctl referrers IMAGE"),
    "system events": _ENGINE,
    "container export": _COPIED,
    "container commit": _CHANGED,
    "container cp": _COPIED,
}
# A typo must not lead to these.
_DESTRUCTIVE = frozenset(
    ("apply", "delete", "logout", "prune", "remove", "rm", "rmi", "sync", "untag")
)


def advice_on(words: Sequence[str]) -> tuple[str, Advice | None]:
    """Return the command of another tool that a command line begins with, and advice on it.

    Args:
        words: what was given, without options.
    """
    for length in (3, 2, 1):
        name = " ".join(words[:length])
        if name in _ADVICE:
            return name, _ADVICE[name]
    return "", None


def intended(word: str, commands: Iterable[str]) -> str | None:
    """Return the command that a mistyped word is meant for; ``None`` unless it is clear.

    Args:
        word: as written.
        commands: the commands that there are; none that deletes is returned.
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
    """Return how many letters were missed, added, mistaken or swapped with the next."""
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
