"""Calls about images of the local store: images, inspect, tag, rmi, df, prune, fsck.

What belongs here: their arguments. What does not: what they do (``operations``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ghcrctl.api.arguments import Caller, platform_of, platforms_of, reference_of, text_of, texts_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.api.arguments import Name, Platforms, Texts
    from ghcrctl.oci.platform import Platform
    from ghcrctl.operations.images.image_row import ImageRow
    from ghcrctl.operations.images.platforms import PlatformRow
    from ghcrctl.operations.images.remove import Removed
    from ghcrctl.operations.images.remove_platforms import Reduced
    from ghcrctl.operations.images.tree import ImageTree
    from ghcrctl.operations.store.df import DiskUsage
    from ghcrctl.operations.store.fsck import CheckResult, Repair
    from ghcrctl.operations.store.prune import Pruned


class Images(Caller):
    """Calls about images of the local store."""

    def images(
        self, name: str | None = None, *, filters: Texts = (), sort: str = "created"
    ) -> list[ImageRow]:
        """List the images of the local store, a row a name.

        Args:
            name: ``NAME[:TAG]``, of which alone.
            filters: ``dangling=BOOL``, ``label=KEY[=VALUE]``, ``before=NAME``, ``since=NAME``,
                ``reference=GLOB``.
            sort: ``created``, ``name`` or ``size``.

        Raises:
            UsageError: a filter is malformed.
        """
        from ghcrctl.operations.images.list import list_images

        with self._session() as session:
            return list_images(session, name=name, filters=texts_of(filters), sort=sort)

    def image_trees(
        self, name: str | None = None, *, filters: Texts = (), sort: str = "created"
    ) -> list[ImageTree]:
        """List the images of the local store with their platforms and attestations.

        Arguments are those of `images`.
        """
        from ghcrctl.operations.images.list import list_images
        from ghcrctl.operations.images.tree import image_trees

        with self._session() as session:
            rows = list_images(session, name=name, filters=texts_of(filters), sort=sort)
            return image_trees(session, rows)

    def inspect(
        self, name: Name, *, remote: bool = False, platform: str | Platform | None = None
    ) -> dict[str, Any]:
        """Describe an image in docker's words.

        Args:
            name: a name; of a local image also its ID or digest.
            remote: ask the registry; nothing is pulled.
            platform: whose image of a multi-platform image; this machine's by default.

        Returns:
            The object that ``docker inspect`` prints: ``Id``, ``RepoTags``, ``Config``, ...

        Raises:
            NotFoundError: there is no such image, or it is not for the platform.
        """
        from ghcrctl.operations.images.inspect import inspect_local, inspect_remote

        with self._session() as session:
            if remote:
                return inspect_remote(session, reference_of(session, name), platform_of(platform))
            return inspect_local(session, text_of(name), platform_of(platform))

    def platforms(self, name: Name, *, remote: bool = False) -> list[PlatformRow]:
        """List the platforms of an image, what each takes, and how much of it is here.

        Args:
            name: a name; of a local image also its ID or digest.
            remote: ask the registry; nothing is pulled.

        Raises:
            NotFoundError: there is no such image.
        """
        from ghcrctl.operations.images.platforms import platform_rows

        with self._session() as session:
            return platform_rows(session, text_of(name), is_remote=remote)

    def tag(self, source: Name, *targets: Name) -> None:
        """Give a local image further names.

        Args:
            source: a name, a digest or an ID.
            targets: the new names; without a tag, ``latest``.

        Raises:
            NoSuchImageError: nothing fits the source.
            UsageError: a target has a digest.
        """
        from ghcrctl.operations.images.tag import tag

        with self._session() as session:
            tag(session, text_of(source), [reference_of(session, target) for target in targets])

    def rmi(self, name: Name, *, force: bool = False) -> Removed:
        """Remove a name of a local image, and the image if it has no name left.

        Args:
            name: a name, a digest or an ID.
            force: remove an image by its ID with all of its names.

        Raises:
            NoSuchImageError: nothing fits.
            RefusedError: the ID is of an image with several names.
        """
        from ghcrctl.operations.images.remove import remove

        with self._session() as session:
            return remove(session, text_of(name), force=force)

    def rmi_platforms(self, name: Name, platform: Platforms) -> Reduced:
        """Remove platforms of a local multi-platform image, and leave the others.

        Args:
            name: a name, a digest or an ID.
            platform: one, or several.

        Raises:
            NoSuchImageError: nothing fits.
            PlatformNotFoundError: the image has no such platform.
        """
        from ghcrctl.operations.images.remove_platforms import remove_platforms

        with self._session() as session:
            return remove_platforms(session, text_of(name), platforms_of(platform))

    def df(self) -> DiskUsage:
        """Measure what the local store takes, and how much of it nobody needs."""
        from ghcrctl.operations.store.df import disk_usage

        with self._session() as session:
            return disk_usage(session)

    def prune(
        self,
        *,
        everything: bool = False,
        filters: Texts = (),
        keep_last: int | None = None,
        max_size: int | str | None = None,
        dry_run: bool = False,
    ) -> Pruned:
        """Remove images without a tag, content that no image needs, and unfinished transfers.

        Nobody is asked.

        Args:
            everything: images with a tag too.
            filters: only what fits: ``until=SPAN|DATE``, ``label=KEY[=VALUE]``,
                ``label!=KEY[=VALUE]``.
            keep_last: of each repository, tagged images but the newest so many too.
            max_size: the oldest images too, until the store has this size: bytes, or a text as
                ``20GB``.
            dry_run: only find out what would be removed.

        Raises:
            UsageError: a filter or the size is malformed.
        """
        from dataclasses import replace
        from datetime import datetime, timezone

        from ghcrctl.operations.store.prune import prune, read_filters, read_size

        rules = replace(
            read_filters(texts_of(filters), datetime.now(timezone.utc)),
            everything=everything,
            keep_last=keep_last,
            max_size=read_size(max_size) if isinstance(max_size, str) else max_size,
        )
        with self._session() as session:
            return prune(session, rules, dry_run=dry_run)

    def fsck(
        self, *, repair: bool = False, tell: Callable[[Repair], None] = lambda _: None
    ) -> CheckResult:
        """Read everything that local images need, and compare it with its digests.

        Args:
            repair: fetch what is broken from where it came from.
            tell: is told what became of each image that was repaired.

        Returns:
            What is wrong; with `repair`, what is left.

        Raises:
            StoreDamagedError: the list of images itself is damaged.
        """
        from ghcrctl.operations.store.fsck import check, repair_all

        with self._session() as session:
            result = check(session)
            return repair_all(session, result, tell) if repair and result.faults else result
