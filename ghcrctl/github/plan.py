"""A plan: what goes, what stays, and why; as a value and as JSON.

What belongs here: its shape, which people review and `apply` reads. What does not: how it is made
(``planner``), how it is carried out (``operations``).
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ghcrctl.errors import (
    GhcrctlError,
    InvalidDigestError,
    InvalidReferenceError,
    NotFoundError,
    UnreadableManifestError,
    UsageError,
)
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.documents import ShapeError, unique_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

SCHEMA = "ghcrctl/plan/1"
# The algorithm and twelve digits of a digest.
_SHORT = len("sha256:") + 12
_MALFORMED = (
    AttributeError, KeyError, TypeError, ValueError, RecursionError, InvalidDigestError,
    InvalidReferenceError,
)  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9\[][A-Za-z0-9._:/\[\]-]*")


@dataclass(frozen=True, slots=True)
class Step:
    """One version that goes.

    Args:
        id: GitHub's number.
        digest: the manifest's.
        tags: all that go with it; it goes only if it still has just these.
        kind: what it is.
        reason: why it goes.
        created: when it was first pushed.
        freed: bytes that nothing else needs once all steps before it and this one are done.
        follows: digests of earlier steps that need this version; where one of them stays after
            all, this stays too.
        is_asked: whether a person named this very version, and no rule.
    """

    id: int
    digest: str
    tags: tuple[str, ...]
    kind: str
    reason: str
    created: datetime
    freed: int = 0
    follows: tuple[str, ...] = ()
    is_asked: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """One version that stays, and why."""

    id: int
    digest: str
    tags: tuple[str, ...]
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done to one package.

    Args:
        registry: the registry's name.
        owner: the account.
        package: the package's name.
        made: when.
        rules: those that it follows, for people.
        steps: what goes, in this order.
        kept: what stays.
        size: bytes of all that the package has now.
        deletes_package: whether the package goes as a whole, with what the steps name.
        warnings: what people should know before they agree.
        unreadable: why manifests could not be read, by digest; what they might need is kept.
    """

    registry: str
    owner: str
    package: str
    made: datetime
    rules: Mapping[str, object] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    kept: tuple[Kept, ...] = ()
    size: int = 0
    deletes_package: bool = False
    warnings: tuple[str, ...] = ()
    unreadable: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Registry, owner and package."""
        return f"{self.registry}/{self.owner}/{self.package}"

    @property
    def freed(self) -> int:
        """Bytes that nothing needs any more when all is done."""
        return sum(step.freed for step in self.steps)

    @property
    def unreadable_error(self) -> UnreadableManifestError | None:
        """The error that says which manifests could not be read."""
        return unreadable_error(self.name, self.unreadable)

    @property
    def does_something(self) -> bool:
        """Whether anything goes."""
        return bool(self.steps) or self.deletes_package

    def to_json(self) -> dict[str, Any]:
        """Write it as `plan_from_json` reads it."""
        return {**_plain(asdict(self)), "freed": self.freed}


def unreadable_error(name: str, unreadable: Mapping[str, str]) -> UnreadableManifestError | None:
    """Build the error for manifests of a package that cannot be read; ``None`` without any.

    Args:
        name: registry, owner and package.
        unreadable: the reasons, by digest.
    """
    if not unreadable:
        return None
    digest = min(unreadable)
    what = f"{digest[:_SHORT]} of {name}"
    if len(unreadable) > 1:
        what = f"{len(unreadable)} manifests of {name}, such as {digest[:_SHORT]}"
    return UnreadableManifestError(
        f"cannot read {what}: {unreadable[digest]}; versions that it may need are kept",
        hint="try again; if the manifest is lost, delete the version: ghcrctl packages delete "
        f"{name}@{digest}",
    )


def plans_to_json(plans: Iterable[Plan]) -> str:
    """Write the plans of a run as one document."""
    return json.dumps({"schema": SCHEMA, "plans": [p.to_json() for p in plans]}, indent=1) + "\n"


def plans_digest(plans: Iterable[Plan]) -> str:
    """Return a digest that identifies the plans of a run."""
    return str(Digest.of(plans_to_json(plans).encode()))


def plans_from_file(path: Path) -> list[Plan]:
    """Read the plans of a run.

    Raises:
        NotFoundError: there is no such file.
        UsageError: it cannot be read, or holds no plans.
    """
    try:
        data = json.loads(path.read_bytes(), object_pairs_hook=unique_keys)
        if data["schema"] == SCHEMA:
            return [plan_from_json(item) for item in data["plans"]]
    except FileNotFoundError:
        raise NotFoundError(f"no such file: {path}") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except _MALFORMED as error:
        raise UsageError(
            f"{path} is no plan: {_why(error)}",
            hint="ghcrctl packages prune --plan FILE makes one",
        ) from None
    raise UsageError(
        f"{path} is no plan of this version of ghcrctl: its schema is {data['schema']!r}",
        hint="make it anew: ghcrctl packages prune --plan FILE",
    )


def _why(error: Exception) -> str:
    """Word why a text is no plan."""
    if isinstance(error, KeyError):
        return f"it has no `{error.args[0]}`"
    if isinstance(error, GhcrctlError):
        return error.message
    if isinstance(error, ShapeError):
        return str(error)
    return "it is no JSON" if isinstance(error, ValueError) else "its parts are of other kinds"


def plan_from_json(data: Any) -> Plan:
    """Read a plan that `Plan.to_json` wrote; KeyError, TypeError or ValueError where it is none."""
    return Plan(
        # The registry only serves lower-case names, and the journal uses these names as keys.
        registry=_name(data["registry"]).lower(),
        owner=_name(data["owner"]).lower(),
        package=_name(data["package"]).lower(),
        made=_moment(data["made"]),
        rules=dict(data["rules"]),
        steps=tuple(_step(item) for item in _list(data["steps"])),
        kept=tuple(_kept(item) for item in _list(data["kept"])),
        size=_whole(data["size"]),
        deletes_package=_flag(data["deletes_package"]),
        warnings=tuple(map(str, data["warnings"])),
        unreadable={_digest(k): _text(v) for k, v in dict(data.get("unreadable") or {}).items()},
    )


def _step(data: Any) -> Step:
    return Step(
        **_common(data),
        created=_moment(data["created"]),
        freed=_whole(data["freed"]),
        follows=tuple(map(_digest, _list(data["follows"]))),
        is_asked=_flag(data["is_asked"]),
    )


def _kept(data: Any) -> Kept:
    return Kept(**_common(data))


def _common(data: Any) -> dict[str, Any]:
    return {
        "id": _whole(data["id"]),
        "digest": _digest(data["digest"]),
        "tags": tuple(map(_text, _list(data["tags"]))),
        "kind": _text(data["kind"]),
        "reason": _text(data["reason"]),
    }


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"{value!r} is not a whole number")
    return value


def _flag(value: object) -> bool:
    """Read a boolean; in a plan that a user edited, the text ``"false"`` must not count as true."""
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is not a boolean")
    return value


def _name(value: object) -> str:
    """Return the name of a registry, an owner or a package; it becomes a part of addresses."""
    text = _text(value)
    if not _NAME.fullmatch(text):
        raise InvalidReferenceError(f"invalid name {text!r}")
    return text


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not a list")
    return value


def _digest(value: object) -> str:
    return str(Digest.parse(_text(value)))


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
