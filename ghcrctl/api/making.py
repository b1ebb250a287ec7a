"""Calls that create images from others: append, mutate, flatten, rebase, convert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.api.arguments import Caller, paths_of, platforms_of, text_of, texts_of
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.api.arguments import Name, Paths, Platforms, Texts
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.making.indexes import IndexTarget, NewImage
    from ghcrctl.transfer.events import Observer


class Making(Caller):
    """Calls that create an image from another one.

    They work directly on a registry, without transferring existing layers, or with ``local`` on the
    local store. A local name always refers to a local image. Without ``target``, the new image is
    written to the repository of the source by digest and no tag changes. ``replace`` moves the tag
    of the source. The creation time is ``SOURCE_DATE_EPOCH`` if it is set in the environment.
    """

    def append(  # noqa: PLR0913 one argument an option
        self,
        base: Name,
        target: Name | None,
        layers: Paths,
        *,
        changes: Texts = (),
        annotations: Mapping[str, str] | None = None,
        platform: Platforms = None,
        message: str = "",
        replace: bool = False,
        local: bool = False,
        observer: Observer = ignore,
    ) -> NewImage:
        """Append layers to an image.

        The same files always produce the same layers: names are sorted, owners are 0, and times are
        clamped to ``SOURCE_DATE_EPOCH`` if it is set.

        Args:
            base: the image to append to.
            target: the name of the new image, or ``None``.
            layers: directories or tar archives, lowest layer first.
            changes: as in `mutate`.
            annotations: as in `mutate`.
            platform: as in `mutate`.
            message: as in `mutate`.
            replace: move the tag of the base image to the new image.
            local: as in `mutate`.
            observer: as in `mutate`.

        Raises:
            NotFoundError: the image does not exist.
            UsageError: a change is invalid.
        """
        return self._mutate(
            base,
            target,
            layers,
            changes=changes,
            annotations=annotations,
            platform=platform,
            message=message,
            replace=replace,
            local=local,
            observer=observer,
        )

    def mutate(  # noqa: PLR0913 one argument an option
        self,
        source: Name,
        target: Name | None = None,
        *,
        changes: Texts = (),
        annotations: Mapping[str, str] | None = None,
        platform: Platforms = None,
        message: str = "",
        replace: bool = False,
        local: bool = False,
        observer: Observer = ignore,
    ) -> NewImage:
        """Change the config or annotations of an image.

        Args:
            source: the source image.
            target: the name of the new image; by default, none.
            changes: Dockerfile instructions for the config, such as ``ENV STAGE=test``.
            annotations: annotations of the manifest; an empty value removes one.
            platform: the platforms of an index to keep; by default, all.
            message: the comment in the history of the image.
            replace: move the tag of the source to the new image.
            local: use the local store.
            observer: receives progress events.

        Raises:
            NotFoundError: the image does not exist.
            UsageError: a change is invalid.
        """
        return self._mutate(
            source,
            target,
            (),
            changes=changes,
            annotations=annotations,
            platform=platform,
            message=message,
            replace=replace,
            local=local,
            observer=observer,
        )

    def _mutate(  # noqa: PLR0913 one argument an option
        self,
        source: Name,
        target: Name | None,
        layers: Paths,
        *,
        changes: Texts,
        annotations: Mapping[str, str] | None,
        platform: Platforms,
        message: str,
        replace: bool,
        local: bool,
        observer: Observer,
    ) -> NewImage:
        from ghcrctl.operations.making.mutate import Mutation, mutate

        with self._session() as session:
            mutation = Mutation(
                changes=texts_of(changes),
                annotations=annotations or {},
                layers=paths_of(layers),
                platforms=platforms_of(platform),
                message=message,
                created=session.settings.source_date,
            )
            old, new = _targets(session, source, target, local=local)
            return mutate(session, old, new, mutation, observer, replace=replace)

    def flatten(  # noqa: PLR0913 one argument an option
        self,
        source: Name,
        target: Name | None = None,
        *,
        platform: Platforms = None,
        compress: str | None = None,
        level: int | None = None,
        message: str = "",
        replace: bool = False,
        local: bool = False,
        observer: Observer = ignore,
    ) -> NewImage:
        """Squash all layers of an image into one.

        Args:
            source: the source image.
            target: the name of the new image; by default, none.
            platform: the platforms of an index to keep; by default, all.
            compress: ``gzip``, ``zstd`` or ``none``, the compression of the layer.
            level: the compression level.
            message: the comment in the history of the image.
            replace: move the tag of the source to the new image.
            local: use the local store.
            observer: receives progress events.

        Raises:
            NotFoundError: the image does not exist.
            UsageError: the compression level is invalid.
        """
        from ghcrctl.operations.making.flatten import FlattenOptions, flatten_image
        from ghcrctl.operations.making.staged_layers import (
            CompressionOptions,
            read_compression_options,
        )

        how = read_compression_options(compress, level) or CompressionOptions()
        with self._session() as session:
            created = session.settings.source_date
            flattening = FlattenOptions(how, platforms_of(platform), message, created)
            old, new = _targets(session, source, target, local=local)
            return flatten_image(session, old, new, flattening, observer, replace=replace)

    def rebase(  # noqa: PLR0913 one argument an option
        self,
        source: Name,
        target: Name | None = None,
        *,
        old_base: Name | None = None,
        new_base: Name | None = None,
        platform: Platforms = None,
        replace: bool = False,
        local: bool = False,
        observer: Observer = ignore,
    ) -> NewImage:
        """Replace the base image of an image.

        Args:
            source: the source image.
            target: the name of the new image; by default, none.
            old_base: the current base image; by default, from annotations.
            new_base: the new base image; by default, the current image of the name in annotations.
            platform: the platforms of an index to keep; by default, all.
            replace: move the tag of the source to the new image.
            local: use the local store.
            observer: receives progress events.

        Raises:
            NotFoundError: the image does not exist.
            RefusedError: the image is not based on the old base image.
        """
        from ghcrctl.operations.making.rebase import RebaseOptions, rebase

        with self._session() as session:
            rebasing = RebaseOptions(
                old_base=_end(session, old_base, local=local) if old_base else None,
                new_base=_end(session, new_base, local=local) if new_base else None,
                platforms=platforms_of(platform),
                created=session.settings.source_date,
                local=local,
            )
            old, new = _targets(session, source, target, local=local)
            return rebase(session, old, new, rebasing, observer, replace=replace)

    def convert(  # noqa: PLR0913 one argument an option
        self,
        source: Name,
        target: Name | None = None,
        *,
        form: str | None = None,
        compress: str | None = None,
        level: int | None = None,
        force: bool = False,
        replace: bool = False,
        local: bool = False,
        observer: Observer = ignore,
    ) -> NewImage:
        """Convert between OCI and Docker formats, or recompress layers.

        Args:
            source: the source image; all images of an index are converted.
            target: the name of the new image; by default, none.
            form: ``oci`` or ``docker``, the format of the new image.
            compress: ``gzip``, ``zstd`` or ``none``, the compression of layers.
            level: the compression level.
            force: also recompress layers that already have this compression.
            replace: move the tag of the source to the new image.
            local: use the local store.
            observer: receives progress events.

        Raises:
            NotFoundError: the image does not exist.
            UsageError: there is nothing to convert, or the level is invalid.
        """
        from ghcrctl.errors import UsageError
        from ghcrctl.operations.making.convert import convert_image, read_conversion

        conversion = read_conversion(form, compress, level, force=force)
        if conversion is None:
            raise UsageError("nothing to convert: expected form, compress or both")
        with self._session() as session:
            old, new = _targets(session, source, target, local=local)
            return convert_image(session, old, new, conversion, observer, replace=replace)


def _end(session: Session, name: Name, *, local: bool) -> IndexTarget:
    from ghcrctl.operations.making.indexes import parse_source

    return parse_source(session, text_of(name), local=local)


def _targets(
    session: Session, source: Name, target: Name | None, *, local: bool
) -> tuple[IndexTarget, IndexTarget | None]:
    """Return the targets for the source image and the new image, which may have no name."""
    from ghcrctl.operations.making.indexes import parse_index_target

    new = parse_index_target(session, text_of(target), local=local) if target else None
    return _end(session, source, local=local), new
