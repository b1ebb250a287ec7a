"""Calls on local images and the store: images, inspect, tag, rmi, df, prune, fsck."""

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
    """Calls on local images and the store."""

    def images(
        self, name: str | None = None, *, filters: Texts = (), sort: str = "created"
    ) -> list[ImageRow]:
        """List local images, one row per name.

        Args:
            name: only list this repository or name (``NAME[:TAG]``).
            filters: ``dangling=BOOL``, ``label=KEY[=VALUE]``, ``before=NAME``, ``since=NAME``,
                ``reference=GLOB``.
            sort: ``created``, ``name`` or ``size``.

        Raises:
            UsageError: a filter is invalid.
        """
        from ghcrctl.operations.images.list import list_images

        with self._session() as session:
            return list_images(session, name=name, filters=texts_of(filters), sort=sort)

    def image_trees(
        self, name: str | None = None, *, filters: Texts = (), sort: str = "created"
    ) -> list[ImageTree]:
        """List local images with their platforms and attestations.

        The arguments are those of `images`.
        """
        from ghcrctl.operations.images.list import list_images
        from ghcrctl.operations.images.tree import image_trees

        with self._session() as session:
            rows = list_images(session, name=name, filters=texts_of(filters), sort=sort)
            return image_trees(session, rows)

    def inspect(
        self, name: Name, *, remote: bool = False, platform: str | Platform | None = None
    ) -> dict[str, Any]:
        """Return details of an image with docker's fields.

        Args:
            name: a name; for local images also an ID or digest.
            remote: read from the registry, without pulling.
            platform: the platform of a multi-platform image; by default, this machine's.

        Returns:
            The object that ``docker inspect`` prints, with ``Id``, ``RepoTags``, ``Config``, ...

        Raises:
            NotFoundError: the image does not exist, or not for the platform.
        """
        from ghcrctl.operations.images.inspect import inspect_local, inspect_remote

        with self._session() as session:
            if remote:
                return inspect_remote(session, reference_of(session, name), platform_of(platform))
            return inspect_local(session, text_of(name), platform_of(platform))

    def platforms(self, name: Name, *, remote: bool = False) -> list[PlatformRow]:
        """List the platforms of an image with their total and missing sizes.

        Args:
            name: a name; for local images also an ID or digest.
            remote: read from the registry, without pulling.

        Raises:
            NotFoundError: the image does not exist.
        """
        from ghcrctl.operations.images.platforms import platform_rows

        with self._session() as session:
            return platform_rows(session, text_of(name), is_remote=remote)

    def tag(self, source: Name, *targets: Name) -> None:
        """Create names for a local image.

        Args:
            source: a name, a digest or an ID.
            targets: the new names; without a tag, ``latest``.

        Raises:
            NoSuchImageError: the image does not exist.
            UsageError: a target has a digest.
        """
        from ghcrctl.operations.images.tag import tag

        with self._session() as session:
            tag(session, text_of(source), [reference_of(session, target) for target in targets])

    def rmi(self, name: Name, *, force: bool = False) -> Removed:
        """Remove a name of a local image, and the image if it has no names left.

        Args:
            name: a name, a digest or an ID.
            force: if the name is an ID, remove the image with all of its names.

        Raises:
            NoSuchImageError: the image does not exist.
            RefusedError: the name is an ID, and the image has multiple names.
        """
        from ghcrctl.operations.images.remove import remove

        with self._session() as session:
            return remove(session, text_of(name), force=force)

    def rmi_platforms(self, name: Name, platform: Platforms) -> Reduced:
        """Remove platforms of a local multi-platform image, and keep the others.

        Args:
            name: a name, a digest or an ID.
            platform: one or more platforms.

        Raises:
            NoSuchImageError: the image does not exist.
            PlatformNotFoundError: the image has no such platform.
        """
        from ghcrctl.operations.images.remove_platforms import remove_platforms

        with self._session() as session:
            return remove_platforms(session, text_of(name), platforms_of(platform))

    def df(self) -> DiskUsage:
        """Return the disk usage of the local store and its reclaimable part."""
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
        """Remove untagged images, unused content and unfinished transfers, without confirmation.

        Args:
            everything: also remove tagged images.
            filters: only remove images matching ``until=SPAN|DATE``, ``label=KEY[=VALUE]`` or
                ``label!=KEY[=VALUE]``.
            keep_last: also remove tagged images, except this many newest per repository.
            max_size: also remove the oldest images until the store has this size (bytes, or text
                such as ``20GB``).
            dry_run: only return what would be removed.

        Raises:
            UsageError: a filter or the size is invalid.
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
        """Check the content of local images against their digests.

        Args:
            repair: download missing and damaged content again.
            tell: called with the result of each repaired image.

        Returns:
            The problems found; with `repair`, those that remain.

        Raises:
            StoreDamagedError: the list of images itself is damaged.
        """
        from ghcrctl.operations.store.fsck import check, repair_all

        with self._session() as session:
            result = check(session)
            return repair_all(session, result, tell) if repair and result.faults else result
