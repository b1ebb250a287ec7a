"""What all calls of the API have in common.

What belongs here: giving a call its session, and reading names, platforms and digests that may be
texts or values. What does not: the calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path
    from typing import TypeAlias

    from ghcrctl.oci.platform import Platform
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.inside.image_layers import ImageSelector

    Opener: TypeAlias = Callable[[], AbstractContextManager[Session]]
    Name: TypeAlias = str | Reference
    Names: TypeAlias = Name | Iterable[Name]
    Texts: TypeAlias = str | Iterable[str]
    PathLike: TypeAlias = str | os.PathLike[str]
    Paths: TypeAlias = PathLike | Iterable[PathLike]
    Platforms: TypeAlias = str | Platform | Iterable[str | Platform] | None
    Write: TypeAlias = Callable[[bytes], object]


class Caller:
    """A group of calls.

    Args:
        opener: gives a call its session.
    """

    def __init__(self, opener: Opener) -> None:
        self._session = opener


def reference_of(session: Session, name: Name) -> Reference:
    """Read a name.

    Raises:
        TypeError: it is neither a text nor a reference.
    """
    from ghcrctl.oci.reference import Reference

    return name if isinstance(name, Reference) else session.parse(text_of(name))


def references_of(session: Session, names: Names) -> list[Reference]:
    """Read names, or one that stands alone."""
    return [reference_of(session, name) for name in names_of(names)]


def names_of(names: Names) -> list[Name]:
    """Read several names, or one that stands alone: a text is no list of its letters."""
    from ghcrctl.oci.reference import Reference

    return [names] if isinstance(names, (str, Reference)) else [*names]


def texts_of_names(names: Names) -> list[str]:
    """Write several names, or one that stands alone."""
    return [text_of(name) for name in names_of(names)]


def text_of(name: object) -> str:
    """Write a name, where a name, a digest or an ID may stand.

    Raises:
        TypeError: it is none.
    """
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.reference import Reference

    if not isinstance(name, (str, Reference, Digest)):
        raise TypeError(f"a name is a text or a Reference, and not of type {type(name).__name__}")
    return str(name)


def texts_of(texts: Texts) -> tuple[str, ...]:
    """Read several texts, or one that stands alone."""
    return (texts,) if isinstance(texts, str) else tuple(texts)


def path_of(path: PathLike) -> Path:
    """Read a path."""
    from pathlib import Path

    return Path(path)


def paths_of(paths: Paths) -> tuple[Path, ...]:
    """Read several paths, or one that stands alone."""
    import os

    given = [paths] if isinstance(paths, (str, os.PathLike)) else paths
    return tuple(path_of(path) for path in given)


def platform_of(platform: str | Platform | None) -> Platform | None:
    """Read one platform."""
    from ghcrctl.oci.platform import Platform

    return Platform.parse(platform) if isinstance(platform, str) else platform


def platforms_of(platform: Platforms) -> tuple[Platform, ...]:
    """Read platforms: none, one or several."""
    from ghcrctl.oci.platform import Platform

    if platform is None:
        return ()
    given = [platform] if isinstance(platform, (str, Platform)) else platform
    return tuple(Platform.parse(one) if isinstance(one, str) else one for one in given)


def moment_of(given: datetime | str | None, what: str) -> datetime | None:
    """Read a moment: an aware one, or a text as the commands take it, such as ``30d``.

    Args:
        given: it.
        what: the argument, for errors.
    """
    from datetime import datetime, timezone

    from ghcrctl.operations.common.times import parse_point_in_time

    if not isinstance(given, str):
        return given
    return parse_point_in_time(given, datetime.now(timezone.utc), f"{what}={given}")


def wanted_of(name: Name, platform: str | Platform | None, *, remote: bool) -> ImageSelector:
    """Put together which image is looked into."""
    from ghcrctl.operations.inside.image_layers import ImageSelector

    return ImageSelector(text_of(name), platform_of(platform), is_remote=remote)
