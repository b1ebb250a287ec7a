"""Platforms: which machine an image runs on, and which image of several suits a machine.

What belongs here: the text form, containerd's normal form, matching. What does not: finding out
this machine's (``settings``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ghcrctl.errors import InvalidPlatformError
from ghcrctl.oci.numbers import whole_number
from ghcrctl.oci.quoting import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ARCHITECTURES = {
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
    "i386": ("386", ""),
    "i686": ("386", ""),
    "aarch64": ("arm64", ""),
    "armhf": ("arm", "v7"),
    "armv7l": ("arm", "v7"),
    "armel": ("arm", "v6"),
    "armv6l": ("arm", "v6"),
}
_DEFAULT_VARIANT = {"arm": "v7", "arm64": "v8"}
_SYSTEMS = {"macos": "darwin"}
_PART = re.compile(r"[A-Za-z0-9_.-]+\Z")
_KNOWN_SYSTEMS = frozenset(
    {
        "aix",
        "android",
        "darwin",
        "freebsd",
        "linux",
        "netbsd",
        "openbsd",
        "plan9",
        "solaris",
        "wasip1",
        "windows",
    }
)


@dataclass(frozen=True, slots=True)
class Platform:
    """Where an image runs.

    ``linux/arm64/v8``, or ``windows/amd64:10.0.17763.1999`` with an OS version.
    """

    os: str
    architecture: str
    variant: str = ""
    os_version: str = ""

    def __str__(self) -> str:
        variant = f"/{self.variant}" if self.variant else ""
        version = f":{self.os_version}" if self.os_version else ""
        return f"{self.os}/{self.architecture}{variant}{version}"

    def means(self, offered: Platform) -> bool:
        """Tell whether an entry of an index is meant; what is not said here may be anything."""
        one, two = self.normalised(), offered.normalised()
        return (
            (one.os, one.architecture) == (two.os, two.architecture)
            and self.variant in {"", offered.variant, two.variant}
            and self.os_version in {"", offered.os_version}
        )

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Read ``OS/ARCH[/VARIANT][:OSVERSION]`` or containerd's ``OS(OSVERSION)/ARCH[/VARIANT]``.

        One part alone is an OS or an architecture of Linux, as docker has it.

        Raises:
            InvalidPlatformError: it has no or too many parts, or characters that no part has.
        """
        rest, _, version = text.partition(":")
        match = re.match(r"([^(/]+)\(([^)]*)\)(/.*)?\Z", rest)
        if match:
            rest, version = match[1] + (match[3] or ""), match[2]
        parts = rest.split("/")
        if not 1 <= len(parts) <= 3 or not all(_PART.match(part) for part in parts):
            raise InvalidPlatformError(
                f"invalid platform `{shortened(text)}`",
                hint="a platform looks like linux/amd64 or linux/arm/v7",
            )
        if len(parts) == 1:
            name = parts[0].lower()
            if name in _KNOWN_SYSTEMS or name in _SYSTEMS:
                raise InvalidPlatformError(
                    f"invalid platform `{shortened(text)}`: the architecture is missing",
                    hint=f"try {name}/amd64",
                )
            parts = ["linux", name]
        return cls(parts[0], parts[1], parts[2] if len(parts) == 3 else "", version).normalised()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Platform:
        """Read an index entry's ``platform`` object, or an image config with the same fields."""
        fields = (data.get(key) for key in ("os", "architecture", "variant", "os.version"))
        return cls(*(field if isinstance(field, str) else "" for field in fields))

    def to_json(self) -> dict[str, str]:
        """Write the ``platform`` object of a descriptor (OCI image spec 1.1, image-index.md)."""
        fields = {
            "architecture": self.architecture,
            "os": self.os,
            "os.version": self.os_version,
            "variant": self.variant,
        }
        return {key: value for key, value in fields.items() if value}

    @property
    def is_unknown(self) -> bool:
        """Whether this is the ``unknown/unknown`` that attestations carry in an index."""
        return self.os == "unknown" and self.architecture == "unknown"

    def normalised(self) -> Platform:
        """Return containerd's normal form: GOARCH names, and no variant that is the default.

        Source: github.com/containerd/platforms, ``database.go``.
        """
        system = _SYSTEMS.get(self.os.lower(), self.os.lower())
        architecture, implied = _ARCHITECTURES.get(
            self.architecture.lower(), (self.architecture.lower(), "")
        )
        variant = self.variant.lower() or implied
        if whole_number(variant) is not None:
            variant = f"v{variant}"
        if (architecture, variant) in {("arm64", "v8"), ("amd64", "v1")}:
            variant = ""
        if architecture == "arm" and not variant:
            variant = "v7"
        return Platform(system, architecture, variant, self.os_version)

    def rank(self, offered: Platform) -> tuple[int, ...] | None:
        """Say how well an offered platform suits this one.

        The larger the better; ``None`` where it cannot run.

        ARM machines run older variants too. A Windows version matches by its build (first three
        numbers), and the highest revision wins, as docker has it.
        """
        want, have = self.normalised(), offered.normalised()
        if (want.os, want.architecture) != (have.os, have.architecture):
            return None
        variant = _variant_rank(want, have)
        version = _version_rank(want.os_version, have.os_version)
        if variant is None or version is None:
            return None
        return (variant, *version)


def _variant_rank(want: Platform, have: Platform) -> int | None:
    if want.variant == have.variant:
        return 1000
    ours = want.variant or _DEFAULT_VARIANT.get(want.architecture, "v1")
    theirs = have.variant or _DEFAULT_VARIANT.get(have.architecture, "v1")
    ours_number, theirs_number = whole_number(ours[1:]), whole_number(theirs[1:])
    if ours_number is None or theirs_number is None or theirs_number > ours_number:
        return None
    return 999 - (ours_number - theirs_number)


def _version_rank(want: str, have: str) -> tuple[int, ...] | None:
    if not want:
        return ()
    if have.split(".")[:3] != want.split(".")[:3]:
        return None
    exact = 1 if have == want else 0
    return (exact, *(whole_number(part) or 0 for part in have.split(".")))


def best_match(want: Platform, offered: Iterable[Platform | None]) -> int | None:
    """Choose among platforms, in the order of an index.

    Returns:
        The position of the best one, the first among equals; ``None`` where none suits.
    """
    best: tuple[tuple[int, ...], int] | None = None
    for position, platform in enumerate(offered):
        rank = want.rank(platform) if platform else None
        if rank is not None and (best is None or rank > best[0]):
            best = (rank, position)
    return best[1] if best else None
