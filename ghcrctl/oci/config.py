"""Image configs: a parsed view that keeps the raw bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ghcrctl.errors import InvalidManifestError
from ghcrctl.oci.documents import load_object
from ghcrctl.oci.platform import Platform

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIME = re.compile(r"(\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})\Z")


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A build step of an image, oldest first in its config.

    ``created``: an RFC 3339 timestamp; may be empty.
    """

    created: str
    created_by: str
    comment: str
    empty_layer: bool


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """The config of a container image. Spec: OCI image spec 1.1, config.md."""

    raw: bytes = field(repr=False)
    data: Mapping[str, Any] = field(repr=False)
    platform: Platform
    created: str
    author: str
    diff_ids: tuple[str, ...]
    history: tuple[HistoryEntry, ...]

    @classmethod
    def parse(cls, raw: bytes) -> ImageConfig:
        """Parse a config.

        Raises:
            InvalidManifestError: the config is not a JSON object, or ``rootfs.diff_ids`` is not a
                list.
        """
        data = load_object(raw, "image config")
        rootfs = data.get("rootfs") or {}
        diff_ids = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
        if not isinstance(diff_ids or [], list):
            raise InvalidManifestError("invalid image config: rootfs.diff_ids is not a list")
        return cls(
            raw=raw,
            data=data,
            platform=Platform.from_json(data),
            created=_string(data, "created"),
            author=_string(data, "author"),
            diff_ids=tuple(str(item) for item in diff_ids or []),
            history=_history(data.get("history")),
        )

    @classmethod
    def parse_any(cls, raw: bytes) -> ImageConfig:
        """Parse the valid parts of a config; return an empty config for arbitrary bytes.

        Registries and other clients store configs without checking them. Code that relies on a
        config's content uses `parse`.
        """
        try:
            return cls.parse(raw)
        except InvalidManifestError:
            return cls.parse(b"{}")

    @property
    def labels(self) -> Mapping[str, str]:
        """The image's labels."""
        config = self.data.get("config")
        labels = config.get("Labels") if isinstance(config, dict) else None
        return {str(k): str(v) for k, v in labels.items()} if isinstance(labels, dict) else {}


def _history(value: object) -> tuple[HistoryEntry, ...]:
    entries = value if isinstance(value, list) else []
    return tuple(
        HistoryEntry(
            created=_string(entry, "created"),
            created_by=_string(entry, "created_by"),
            comment=_string(entry, "comment"),
            empty_layer=entry.get("empty_layer") is True,
        )
        for entry in entries
        if isinstance(entry, dict)
    )


def _string(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key, "")
    return value if isinstance(value, str) else ""


def parse_time(text: str) -> datetime | None:
    """Parse an RFC 3339 timestamp with any precision to UTC; return ``None`` if invalid."""
    match = _TIME.match(text)
    if not match:
        return None
    fraction = (match[2] or ".0")[1:7].ljust(6, "0")
    zone = "+00:00" if match[3] in "Zz" else match[3]
    try:
        return datetime.fromisoformat(f"{match[1].upper()}.{fraction}{zone}").astimezone(
            timezone.utc
        )
    except (ValueError, OverflowError):
        return None


def go_time(text: str) -> str:
    """Return an RFC 3339 timestamp in the form of Go's ``RFC3339Nano``; other text is unchanged.

    Fractions of a second have no trailing zeros, and an offset of zero is ``Z``.
    """
    match = _TIME.match(text)
    if not match:
        return text
    # Go keeps nanoseconds: a dot and nine digits.
    fraction = (match[2] or "")[:10].rstrip("0").rstrip(".")
    zone = "Z" if match[3] in {"Z", "z", "+00:00", "-00:00"} else match[3]
    return f"{match[1].upper()}{fraction}{zone}"
