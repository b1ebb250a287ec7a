"""Platforms: parsing, normalizing and matching."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ghcrctl.errors import InvalidPlatformError, UnsupportedError
from ghcrctl.oci.host_processor import machine_name
from ghcrctl.oci.platform_match import features_rank, variant_rank, version_rank
from ghcrctl.oci.quotes import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# The names of containerd (``database.go``), of ``uname -m`` and of Windows.
_ALIASES = {
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
    "x64": ("amd64", ""),
    **dict.fromkeys(("x86", "i386", "i486", "i586", "i686"), ("386", "")),
    "aarch64": ("arm64", ""),
    "arm64e": ("arm64", ""),
    "aarch64_be": ("arm64be", ""),
    # A 32-bit system on a 64-bit processor.
    **dict.fromkeys(("armv8", "armv8l"), ("arm", "v8")),
    **dict.fromkeys(("armhf", "armv7", "armv7a", "armv7l", "armv7hl", "armv7hnl"), ("arm", "v7")),
    **dict.fromkeys(("armel", "armv6", "armv6l", "armv6hl"), ("arm", "v6")),
    **dict.fromkeys(("armv5l", "armv5tel", "armv5tejl"), ("arm", "v5")),
    **dict.fromkeys(("armv5teb", "armv6b", "armv7b", "armv8b", "armeb"), ("armbe", "")),
    "loongarch64": ("loong64", ""),
    "mipsel": ("mipsle", ""),
    "mips64el": ("mips64le", ""),
    "powerpc": ("ppc", ""),
    "powerpc64": ("ppc64", ""),
    "powerpc64le": ("ppc64le", ""),
    "ppc64el": ("ppc64le", ""),
    "riscv32": ("riscv", ""),
    "sun4u": ("sparc64", ""),
    "sun4v": ("sparc64", ""),
    "wasm32": ("wasm", ""),
}
_SYSTEM_ALIASES = {"macos": "darwin"}
_PART = re.compile(r"[A-Za-z0-9_.-]+\Z")
_WITH_VERSION = re.compile(r"([^(/]+)\(([^()+]*)((?:\+[^()+]*)*)\)(/.*)?\Z")
# The targets of Go, which the image spec allows (OCI image spec 1.1, config.md), and WASI.
_SYSTEMS = frozenset(
    [
        "aix",
        "android",
        "darwin",
        "dragonfly",
        "freebsd",
        "hurd",
        "illumos",
        "ios",
        "js",
        "linux",
        "nacl",
        "netbsd",
        "openbsd",
        "plan9",
        "solaris",
        "wasi",
        "wasip1",
        "wasip2",
        "windows",
        "zos",
    ]
)
_ARCHITECTURES = frozenset(
    [
        "386",
        "amd64",
        "amd64p32",
        "arm",
        "arm64",
        "arm64be",
        "armbe",
        "loong64",
        "mips",
        "mips64",
        "mips64le",
        "mips64p32",
        "mips64p32le",
        "mipsle",
        "ppc",
        "ppc64",
        "ppc64le",
        "riscv",
        "riscv64",
        "s390",
        "s390x",
        "sparc",
        "sparc64",
        "wasm",
    ]
)


@dataclass(frozen=True, slots=True)
class Platform:
    """The platform of an image.

    For example ``linux/arm64/v8``, or ``windows/amd64:10.0.17763.1999`` with an OS version.
    """

    os: str
    architecture: str
    variant: str = ""
    os_version: str = ""
    os_features: tuple[str, ...] = ()

    def __str__(self) -> str:
        variant = f"/{self.variant}" if self.variant else ""
        version = f":{self.os_version}" if self.os_version else ""
        return f"{self.os}/{self.architecture}{variant}{version}"

    @property
    def with_features(self) -> str:
        """The text form, with OS features if there are any: ``linux(+gpu)/amd64``."""
        if not self.os_features:
            return str(self)
        variant = f"/{self.variant}" if self.variant else ""
        features = "".join(f"+{feature}" for feature in self.os_features)
        return f"{self.os}({self.os_version}{features})/{self.architecture}{variant}"

    def selects(self, offered: Platform) -> bool:
        """Check whether this platform selects an index entry; unset fields match anything."""
        one, two = self.normalized(), offered.normalized()
        return (
            (one.os, one.architecture) == (two.os, two.architecture)
            and self.variant in {"", offered.variant, two.variant}
            and self.os_version in {"", offered.os_version}
            and set(self.os_features) <= set(offered.os_features)
        )

    @classmethod
    def parse(cls, text: str, *, known: bool = True) -> Platform:
        """Parse a platform.

        Accepts ``OS[/ARCH[/VARIANT]][:OSVERSION]``, an architecture of Linux, and containerd's form
        ``OS(OSVERSION+FEATURE)/ARCH``. An OS alone gets this machine's architecture.

        Args:
            text: the platform.
            known: whether to require a known OS and architecture; images may state any.

        Raises:
            InvalidPlatformError: the text has too many parts, invalid characters, or an unknown OS
                or architecture.
        """
        rest, version, features = _split_version(text)
        parts = rest.split("/")
        if not 1 <= len(parts) <= 3 or not all(_PART.match(part) for part in parts):
            raise _invalid(text)
        if len(parts) == 1:
            parts = _complete(parts[0])
        variant = parts[2] if len(parts) == 3 else ""
        found = cls(parts[0], parts[1], variant, version, features).normalized()
        if known and not found.is_unknown:
            _check_known(text, found)
        return found

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Platform:
        """Parse the ``platform`` object of an index entry, or the same fields of a config."""
        fields = (data.get(key) for key in ("os", "architecture", "variant", "os.version"))
        system, architecture, variant, version = (f if isinstance(f, str) else "" for f in fields)
        listed = data.get("os.features")
        features = listed if isinstance(listed, list) else []
        named = tuple(each for each in features if isinstance(each, str))
        return cls(system, architecture, variant, version, named)

    def to_json(self) -> dict[str, Any]:
        """Return the ``platform`` object of a descriptor (OCI image spec 1.1, image-index.md)."""
        fields = {
            "architecture": self.architecture,
            "os": self.os,
            "os.version": self.os_version,
            "os.features": list(self.os_features),
            "variant": self.variant,
        }
        return {key: value for key, value in fields.items() if value}

    @property
    def is_unknown(self) -> bool:
        """Whether this is the ``unknown/unknown`` of attestations in an index."""
        return self.os == "unknown" and self.architecture == "unknown"

    def normalized(self) -> Platform:
        """Return containerd's normal form: GOARCH names, without default variants.

        Source: github.com/containerd/platforms, ``database.go``.
        """
        system = _SYSTEM_ALIASES.get(self.os.lower(), self.os.lower())
        architecture, implied = _ALIASES.get(
            self.architecture.lower(), (self.architecture.lower(), "")
        )
        variant = self.variant.lower() or implied
        if variant[:1].isdigit():
            variant = f"v{variant}"
        if architecture == "arm64":
            variant = {"v8": "", "v8.0": "", "v9.0": "v9"}.get(variant, variant)
        if (architecture, variant) == ("amd64", "v1"):
            variant = ""
        if architecture == "arm" and not variant:
            variant = "v7"
        return Platform(system, architecture, variant, self.os_version, self.os_features)

    def rank(self, offered: Platform) -> tuple[int, ...] | None:
        """Return how well an offered platform matches this one; larger is better.

        ``None`` means that it cannot run. ARM machines also run older variants. The wanted platform
        must have all OS features that an image needs. An index entry may omit the OS.

        Source: github.com/containerd/platforms, ``compare.go`` and ``platforms.go``.
        """
        want, have = self.normalized(), offered.normalized()
        if have.os not in {"", want.os} or want.architecture != have.architecture:
            return None
        variant = variant_rank(want.architecture, want.variant, have.variant)
        features = features_rank(want.os_features, have.os_features)
        version = version_rank(want.os_version, have.os_version)
        if variant is None or features is None or version is None:
            return None
        return (variant, features, *version)


def _split_version(text: str) -> tuple[str, str, tuple[str, ...]]:
    """Split a platform into the part without version, the OS version and the OS features."""
    match = _WITH_VERSION.match(text)
    if not match:
        rest, _, version = text.partition(":")
        return rest, version, ()
    system, version, features, rest = match.groups()
    named = tuple(sorted({each for each in features.split("+") if each}))
    if not all(_PART.match(each) for each in named):
        raise _invalid(text)
    return system + (rest or ""), version, named


def _complete(name: str) -> list[str]:
    """Return OS and architecture if only one of them is given."""
    lower = name.lower()
    if lower in _SYSTEMS or lower in _SYSTEM_ALIASES:
        return [name, machine_platform().architecture]
    return ["linux", name]


def machine_platform(machine: str | None = None) -> Platform:
    """Return Linux on this machine's processor, docker's default on every system.

    Args:
        machine: the processor as named by the system; this machine's by default.

    Raises:
        UnsupportedError: there is no architecture for the processor.
    """
    found = Platform("linux", machine_name() if machine is None else machine).normalized()
    if found.architecture in _ARCHITECTURES:
        return found
    reason = (
        f"unknown processor `{shortened(found.architecture)}`"
        if found.architecture
        else "the system does not report its processor"
    )
    raise UnsupportedError(
        f"cannot determine the platform of this machine: {reason}",
        hint="choose one with --platform OS/ARCH, or set GHCRCTL_PLATFORM=OS/ARCH",
    )


def _check_known(text: str, platform: Platform) -> None:
    """Check that the OS and architecture are known; otherwise they are likely typos.

    Raises:
        InvalidPlatformError: one of them is unknown.
    """
    for what, name, known in (
        ("operating system", platform.os, _SYSTEMS),
        ("architecture", platform.architecture, _ARCHITECTURES),
    ):
        if name not in known:
            raise InvalidPlatformError(
                f"invalid platform `{shortened(text)}`: unknown {what} `{shortened(name)}`",
                hint=_nearest(name, known),
            )


def _nearest(name: str, known: frozenset[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, sorted(known), 1, 0.6)
    if near:
        return f"did you mean `{near[0]}`?"
    return "write it like linux/amd64 or linux/arm/v7"


def _invalid(text: str) -> InvalidPlatformError:
    return InvalidPlatformError(
        f"invalid platform `{shortened(text)}`: expected OS/ARCH[/VARIANT]",
        hint="write it like linux/amd64 or linux/arm/v7",
    )


def best_match(want: Platform, offered: Iterable[Platform | None]) -> int | None:
    """Return the position of the best platform, in an index's order.

    Returns:
        The position of the first among equally good ones; ``None`` if none matches.
    """
    best: tuple[tuple[int, ...], int] | None = None
    for position, platform in enumerate(offered):
        rank = want.rank(platform) if platform else None
        if rank is not None and (best is None or rank > best[0]):
            best = (rank, position)
    return best[1] if best else None
