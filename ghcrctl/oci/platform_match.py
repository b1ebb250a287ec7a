"""Ranks platforms for a wanted one by variant, OS features and OS version.

Source: github.com/containerd/platforms, ``compare.go``, ``platforms.go`` and
``platform_windows_compat.go``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.oci.numbers import whole_number

if TYPE_CHECKING:
    from collections.abc import Sequence

_DEFAULT_VARIANT = {"arm": "v7", "arm64": "v8"}
# v9.0 includes v8.5, and v8.9 is the last 8.x (github.com/containerd/platforms, ``compare.go``).
_ARM_9_INCLUDES, _ARM_8_LAST = 5, 9
_OLDEST_COMPATIBLE_ARM = 5
# The build number of Windows Server 2022.
_SERVER_2022 = 20348
# Only Nano Server lacks this feature, so clients never list it (OCI image spec 1.1, config.md).
_USUAL_FEATURES = frozenset({"win32k"})


def variant_rank(architecture: str, want: str, have: str) -> int | None:
    """Return the rank of a variant within the same architecture (``compare.go``)."""
    if want == have:
        return 1000
    default = _DEFAULT_VARIANT.get(architecture, "v1")
    ours, theirs = _numbers(want or default), _numbers(have or default)
    if ours is None or theirs is None:
        return None
    if architecture == "arm64":
        steps = _arm64_steps(ours, theirs)
    else:
        steps = _major_steps(ours, theirs, architecture)
    return None if steps is None else 999 - steps


def _major_steps(ours: tuple[int, int], theirs: tuple[int, int], architecture: str) -> int | None:
    is_too_old = architecture == "arm" and theirs[0] < _OLDEST_COMPATIBLE_ARM
    if is_too_old or theirs > ours or ours[1] or theirs[1]:
        return None
    return ours[0] - theirs[0]


def _arm64_steps(ours: tuple[int, int], theirs: tuple[int, int]) -> int | None:
    """Return the distance between two variants; v9.x runs what v8.(x+5) runs."""
    (major, minor), (other, lower) = ours, theirs
    if other == 8 and lower > _ARM_8_LAST:
        return None
    if major == other:
        return minor - lower if lower <= minor else None
    highest = min(minor + _ARM_9_INCLUDES, _ARM_8_LAST)
    if (major, other) == (9, 8) and lower <= highest:
        return minor + 1 + highest - lower
    return None


def _numbers(variant: str) -> tuple[int, int] | None:
    """Parse ``v8`` or ``v8.1``."""
    major, _, minor = variant[1:].partition(".")
    numbers = whole_number(major), whole_number(minor or "0")
    if variant[:1] != "v" or numbers[0] is None or numbers[1] is None:
        return None
    return numbers[0], numbers[1]


def features_rank(want: Sequence[str], have: Sequence[str]) -> int | None:
    """Return the number of OS features that an image uses; ``None`` if one is unavailable."""
    needed = {feature for feature in have if feature not in _USUAL_FEATURES}
    return len(needed) if needed <= set(want) else None


def version_rank(want: str, have: str) -> tuple[int, ...] | None:
    """Return the rank of an OS version.

    An exact version ranks first, then the highest one, the machine's own build before others. An
    image without a version runs on every build and ranks last.
    """
    if not want:
        return ()
    if not have:
        return (-1,)
    if not _runs_build(_version_numbers(want), _version_numbers(have)):
        return None
    exact = 1 if have == want else 0
    return (exact, *_version_numbers(have))


def _version_numbers(version: str) -> tuple[int, ...]:
    return tuple(whole_number(part) or 0 for part in version.split("."))


def _runs_build(host: tuple[int, ...], image: tuple[int, ...]) -> bool:
    """Check whether a Windows machine runs images of a build, the third number of a version.

    From Windows Server 2022 on, machines also run images of older builds down to that one.

    Source: github.com/containerd/platforms, ``platform_windows_compat.go``.
    """
    if len(host) < 3 or len(image) < 3 or host[:2] != image[:2]:
        return host[:3] == image[:3]
    return image[2] == host[2] or _SERVER_2022 <= image[2] <= host[2]
