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
    from ghcrctl.operations.looking import Wanted
    from ghcrctl.operations.session import Session

    Opener: TypeAlias = Callable[[], AbstractContextManager[Session]]
    Name: TypeAlias = str | Reference
    PathLike: TypeAlias = str | os.PathLike[str]
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
    """Read a name."""
    return session.parse(name) if isinstance(name, str) else name


def text_of(name: Name) -> str:
    """Write a name, where a name, a digest or an ID may stand."""
    return str(name)


def path_of(path: PathLike) -> Path:
    """Read a path."""
    from pathlib import Path

    return Path(path)


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

    from ghcrctl.operations.moments import read_moment

    if not isinstance(given, str):
        return given
    return read_moment(given, datetime.now(timezone.utc), f"{what}={given}")


def wanted_of(name: Name, platform: str | Platform | None, *, remote: bool) -> Wanted:
    """Put together which image is looked into."""
    from ghcrctl.operations.looking import Wanted

    return Wanted(str(name), platform_of(platform), is_remote=remote)
