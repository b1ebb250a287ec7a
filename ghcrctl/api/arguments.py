"""The base class of API calls, and conversion of their arguments."""

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
    """The base class of a group of API calls.

    Args:
        opener: opens the session of a call.
    """

    def __init__(self, opener: Opener) -> None:
        self._session = opener


def reference_of(session: Session, name: Name) -> Reference:
    """Return the reference of a name.

    Raises:
        TypeError: the name is not a string or reference.
    """
    from ghcrctl.oci.reference import Reference

    return name if isinstance(name, Reference) else session.parse(text_of(name))


def references_of(session: Session, names: Names) -> list[Reference]:
    """Return the references of one or more names."""
    return [reference_of(session, name) for name in names_of(names)]


def names_of(names: Names) -> list[Name]:
    """Return one or more names as a list. A string is one name, not a list of characters."""
    from ghcrctl.oci.reference import Reference

    return [names] if isinstance(names, (str, Reference)) else [*names]


def texts_of_names(names: Names) -> list[str]:
    """Return one or more names as strings."""
    return [text_of(name) for name in names_of(names)]


def text_of(name: object) -> str:
    """Return a name, digest or ID as a string.

    Raises:
        TypeError: the value has another type.
    """
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.reference import Reference

    if not isinstance(name, (str, Reference, Digest)):
        raise TypeError(f"expected a name as str or Reference, not {type(name).__name__}")
    return str(name)


def texts_of(texts: Texts) -> tuple[str, ...]:
    """Return one or more strings as a tuple."""
    return (texts,) if isinstance(texts, str) else tuple(texts)


def path_of(path: PathLike) -> Path:
    """Return a path as a `Path`."""
    from pathlib import Path

    return Path(path)


def paths_of(paths: Paths) -> tuple[Path, ...]:
    """Return one or more paths as `Path` objects."""
    import os

    given = [paths] if isinstance(paths, (str, os.PathLike)) else paths
    return tuple(path_of(path) for path in given)


def platform_of(platform: str | Platform | None) -> Platform | None:
    """Return a platform as a `Platform`."""
    from ghcrctl.oci.platform import Platform

    return Platform.parse(platform) if isinstance(platform, str) else platform


def platforms_of(platform: Platforms) -> tuple[Platform, ...]:
    """Return zero or more platforms as `Platform` objects."""
    from ghcrctl.oci.platform import Platform

    if platform is None:
        return ()
    given = [platform] if isinstance(platform, (str, Platform)) else platform
    return tuple(Platform.parse(one) if isinstance(one, str) else one for one in given)


def time_of(given: datetime | str | None, what: str) -> datetime | None:
    """Return a time as a datetime.

    Args:
        given: an aware datetime, or text in the format of the commands, such as ``30d``.
        what: the name of the argument, for errors.
    """
    from datetime import datetime, timezone

    from ghcrctl.operations.common.times import parse_point_in_time

    if not isinstance(given, str):
        return given
    return parse_point_in_time(given, datetime.now(timezone.utc), f"{what}={given}")


def selector_of(name: Name, platform: str | Platform | None, *, remote: bool) -> ImageSelector:
    """Return the selector of an image."""
    from ghcrctl.operations.inside.image_layers import ImageSelector

    return ImageSelector(text_of(name), platform_of(platform), is_remote=remote)
