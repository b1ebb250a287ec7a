"""Calls that make images of others, running nothing: append, mutate, flatten, rebase, convert.

What belongs here: their arguments. What does not: what they do (``operations``).
"""

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
    local store; a local name always names a local image. Without ``target``, the new image is
    written to the source's repository by digest and no tag moves; ``replace`` moves the source's
    tag. ``SOURCE_DATE_EPOCH``, if set in the environment, becomes the creation time.
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

        The same files always produce the same layers: names are sorted, owners are 0, and no time
        is later than ``SOURCE_DATE_EPOCH`` if that is set.

        Args:
            base: the image below.
            target: the name of the new one; ``None`` for none.
            layers: directories, or tar archives, base first.
            changes: as in `mutate`.
            annotations: as in `mutate`.
            platform: as in `mutate`.
            message: as in `mutate`.
            replace: move the base's tag to the new one.
            local: as in `mutate`.
            observer: as in `mutate`.

        Raises:
            NotFoundError: there is no such image.
            UsageError: a change is malformed.
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
            source: the image.
            target: the name of the new one; none by default.
            changes: Dockerfile instructions for the config: ``ENV STAGE=test``.
            annotations: of the manifest; an empty value removes one.
            platform: which images of an index; all by default.
            message: comment of the image's history.
            replace: move the source's tag to the new one.
            local: use the local store.
            observer: watches what moves.

        Raises:
            NotFoundError: there is no such image.
            UsageError: a change is malformed.
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
            old, new = _ends(session, source, target, local=local)
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
            source: the image.
            target: the name of the new one; none by default.
            platform: which images of an index; all by default.
            compress: ``gzip``, ``zstd`` or ``none``: how the layer is packed.
            level: how hard.
            message: comment of the image's history.
            replace: move the source's tag to the new one.
            local: use the local store.
            observer: watches what moves.

        Raises:
            NotFoundError: there is no such image.
            UsageError: there is no such level.
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
            old, new = _ends(session, source, target, local=local)
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
            source: the image.
            target: the name of the new one; none by default.
            old_base: the base it was built on; by default the one in its annotations.
            new_base: the base to use; by default the current image of the name in its annotations.
            platform: which images of an index; all by default.
            replace: move the source's tag to the new one.
            local: use the local store.
            observer: watches what moves.

        Raises:
            NotFoundError: there is no such image.
            RefusedError: the image is not built on the old base.
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
            old, new = _ends(session, source, target, local=local)
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
            source: the image; of an index all of it.
            target: the name of the new one; none by default.
            form: ``oci`` or ``docker``: the media types of the new image.
            compress: ``gzip``, ``zstd`` or ``none``: how its layers are packed.
            level: how hard.
            force: recompress layers that already have this compression.
            replace: move the source's tag to the new one.
            local: use the local store.
            observer: watches what moves.

        Raises:
            NotFoundError: there is no such image.
            UsageError: there is nothing to convert, or the level is invalid.
        """
        from ghcrctl.errors import UsageError
        from ghcrctl.operations.making.convert import convert_image, read_conversion

        conversion = read_conversion(form, compress, level, force=force)
        if conversion is None:
            raise UsageError("nothing to convert: expected form, compress or both")
        with self._session() as session:
            old, new = _ends(session, source, target, local=local)
            return convert_image(session, old, new, conversion, observer, replace=replace)


def _end(session: Session, name: Name, *, local: bool) -> IndexTarget:
    from ghcrctl.operations.making.indexes import parse_source

    return parse_source(session, text_of(name), local=local)


def _ends(
    session: Session, source: Name, target: Name | None, *, local: bool
) -> tuple[IndexTarget, IndexTarget | None]:
    """Read the old image and the new one, which may have no name of its own."""
    from ghcrctl.operations.making.indexes import parse_index_target

    new = parse_index_target(session, text_of(target), local=local) if target else None
    return _end(session, source, local=local), new
