"""Deletion plans: the versions to delete and to keep, with reasons; as values and as JSON."""

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
    """A version to delete.

    Args:
        id: GitHub's ID of the version.
        digest: the digest of its manifest.
        tags: its tags; the version is only deleted if it still has exactly these.
        kind: its kind, such as ``image`` or ``signature``.
        reason: why it is deleted.
        created: when it was first pushed.
        freed: bytes that are no longer needed once this and all earlier steps are done.
        follows: digests of earlier steps that need this version; if one of them is kept after
            all, so is this version.
        is_asked: whether the user named this version, as opposed to a rule.
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
    """A version to keep, with the reason."""

    id: int
    digest: str
    tags: tuple[str, ...]
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A deletion plan for one package.

    Args:
        registry: the registry's name.
        owner: the account.
        package: the package's name.
        made: when the plan was created.
        rules: the rules behind the plan, for display.
        steps: the versions to delete, in order.
        kept: the versions to keep.
        size: the size of all content of the package (bytes).
        deletes_package: whether the package is deleted as a whole, with the versions in the steps.
        warnings: warnings to show before the plan is confirmed.
        unreadable: why manifests could not be read, by digest; versions that they may need are
            kept.
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
        """Bytes that are no longer needed after all steps."""
        return sum(step.freed for step in self.steps)

    @property
    def unreadable_error(self) -> UnreadableManifestError | None:
        """The error for manifests that could not be read, if any."""
        return unreadable_error(self.name, self.unreadable)

    @property
    def does_something(self) -> bool:
        """Whether the plan deletes anything."""
        return bool(self.steps) or self.deletes_package

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON for `plan_from_json`."""
        return {**_plain(asdict(self)), "freed": self.freed}


def unreadable_error(name: str, unreadable: Mapping[str, str]) -> UnreadableManifestError | None:
    """Return the error for unreadable manifests of a package; ``None`` without any.

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
    """Return the plans of a run as one JSON document."""
    return json.dumps({"schema": SCHEMA, "plans": [p.to_json() for p in plans]}, indent=1) + "\n"


def plans_digest(plans: Iterable[Plan]) -> str:
    """Return a digest that identifies the plans of a run."""
    return str(Digest.of(plans_to_json(plans).encode()))


def plans_from_file(path: Path) -> list[Plan]:
    """Read the plans of a run.

    Raises:
        NotFoundError: the file does not exist.
        UsageError: the file cannot be read or contains no valid plans.
    """
    try:
        data = json.loads(path.read_bytes(), object_pairs_hook=unique_keys)
        if data["schema"] == SCHEMA:
            return [plan_from_json(item) for item in data["plans"]]
    except FileNotFoundError:
        raise NotFoundError(f"no such file: {path}") from None
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except _MALFORMED as error:
        raise UsageError(
            f"invalid plan {path}: {_reason(error)}",
            hint="create a plan: ghcrctl packages prune --plan FILE",
        ) from None
    raise UsageError(
        f"cannot use the plan {path}: its schema {data['schema']!r} is not supported",
        hint="create a new plan: ghcrctl packages prune --plan FILE",
    )


def _reason(error: Exception) -> str:
    """Return the reason why a file is not a valid plan."""
    if isinstance(error, KeyError):
        return f"`{error.args[0]}` is missing"
    if isinstance(error, GhcrctlError):
        return error.message
    if isinstance(error, ShapeError):
        return str(error)
    return "it is not JSON" if isinstance(error, ValueError) else "a value has the wrong type"


def plan_from_json(data: Any) -> Plan:
    """Parse the result of `Plan.to_json`; raise KeyError, TypeError or ValueError if invalid."""
    return Plan(
        # The registry only serves lower-case names, and the journal uses these names as keys.
        registry=_name(data["registry"]).lower(),
        owner=_name(data["owner"]).lower(),
        package=_name(data["package"]).lower(),
        made=_time(data["made"]),
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
        created=_time(data["created"]),
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
        raise TypeError(f"{value!r} is not a string")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"{value!r} is not a whole number")
    return value


def _flag(value: object) -> bool:
    """Return a boolean; in an edited plan the string ``"false"`` must not count as true."""
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is not a boolean")
    return value


def _name(value: object) -> str:
    """Return the name of a registry, owner or package, which becomes part of URLs."""
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


def _time(value: object) -> datetime:
    found = datetime.fromisoformat(_text(value))
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
