"""Calls that read or write archives, and builds: save, load, build, import."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from ghcrctl.api.arguments import (
    Caller,
    path_of,
    platform_of,
    platforms_of,
    reference_of,
    texts_of,
    texts_of_names,
)
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ghcrctl.api.arguments import Name, Names, PathLike, Platforms, Texts, Write
    from ghcrctl.content.ports import Stream
    from ghcrctl.engines.build_request import BuildRequest
    from ghcrctl.oci.platform import Platform
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.archives.load import Loaded
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.making.build import Built
    from ghcrctl.operations.making.import_image import ImportResult
    from ghcrctl.operations.moving.push import PushResult
    from ghcrctl.transfer.events import Observer
    from ghcrctl.transfer.workers import Workers


class Archives(Caller):
    """Calls that save, load, build and import images."""

    def save(  # noqa: PLR0913 one argument an option
        self,
        names: Names,
        output: PathLike | Write,
        *,
        form: str = "oci",
        compress: str | None = None,
        platform: Platforms = None,
        without: Texts = (),
        observer: Observer = ignore,
    ) -> None:
        """Save local images to an archive, which ``docker load``, podman and skopeo can read.

        Args:
            names: one or more names, digests or IDs. A name without a tag saves all its tags.
            output: the file, which is written atomically; for ``oci-dir``, the directory; or a
                function that receives the bytes of the archive.
            form: ``oci``, ``docker`` (the format of docker up to version 24) or ``oci-dir``.
            compress: ``gzip`` or ``zstd``, to compress the whole archive.
            platform: the platforms to save; by default, all local ones.
            without: local images, archives, layouts or digest lists whose content is omitted.
            observer: receives progress events.

        Raises:
            NoSuchImageError: an image does not exist.
            UsageError: the arguments contradict each other.
            IntegrityError: content of the store is damaged.
        """
        from ghcrctl.layers.compression import Compression
        from ghcrctl.operations.archives.save import Format, save
        from ghcrctl.operations.common.platform_selection import Selection

        chosen = platforms_of(platform)
        with self._session() as session:
            save(
                session,
                texts_of_names(names),
                output if callable(output) else path_of(output),
                form=Format(form),
                compression=Compression(compress) if compress else None,
                select=Selection.of(chosen, everything=not chosen),
                without=texts_of(without),
                observer=observer,
            )

    def load(
        self,
        archive: PathLike | Stream,
        *,
        platform: Platforms = None,
        compress: str = "gzip",
        observer: Observer = ignore,
    ) -> list[Loaded]:
        """Load images from an archive or an OCI image layout directory.

        Args:
            archive: a path, or a binary stream that is read once.
            platform: the platforms to load; by default, all.
            compress: ``gzip`` or ``zstd``, the compression of uncompressed layers.
            observer: receives progress events.

        Raises:
            NotFoundError: the file does not exist.
            IntegrityError: the archive is damaged; no part of the image is stored.
        """
        from ghcrctl.layers.compression import Compression
        from ghcrctl.operations.archives.load import load
        from ghcrctl.operations.common.platform_selection import Selection

        chosen = platforms_of(platform)
        with self._session() as session:
            return load(
                session,
                path_of(archive) if isinstance(archive, (str, os.PathLike)) else archive,
                select=Selection.of(chosen, everything=not chosen),
                compression=Compression(compress),
                observer=observer,
            )

    def build(  # noqa: PLR0913 one argument an option
        self,
        context: PathLike | BuildRequest,
        *,
        tags: Names = (),
        file: PathLike | None = None,
        platform: Platforms = None,
        build_args: Mapping[str, str | None] | None = None,
        labels: Mapping[str, str] | None = None,
        target: str | None = None,
        push: bool = False,
        quiet: bool = True,
        tell: Callable[[str], None] = lambda _: None,
        observer: Observer = ignore,
    ) -> Built:
        """Build an image from a Dockerfile with a build engine on this machine.

        The setting ``builder`` selects the engine: ``Client(settings={"builder": "buildah"})``.

        Args:
            context: a directory or URL, or a `BuildRequest` with all options.
            tags: one or more names for the image.
            file: the Dockerfile; by default, ``Dockerfile`` in the context.
            platform: the target platforms; several create an index.
            build_args: build-time variables; ``None`` takes the value from the environment.
            labels: labels of the image.
            target: the target build stage.
            push: push all names after the build.
            quiet: suppress the output of the engine.
            tell: called with the suppressed output of a failed build.
            observer: receives progress events.

        Raises:
            UnsupportedError: no engine is installed, or the build failed.
            UsageError: a name is invalid.
            NotFoundError: the context does not exist.
        """
        from ghcrctl.engines.build_request import BuildRequest

        order = context if isinstance(context, BuildRequest) else BuildRequest(str(context))
        order = replace(
            order,
            file=str(file) if file else order.file,
            platforms=platforms_of(platform) or order.platforms,
            build_args=_assignments(build_args or {}) or order.build_args,
            labels=_assignments(labels or {}) or order.labels,
            target=target or order.target,
        )
        with self._session() as session:
            return _build(session, order, tags, observer, push=push, quiet=quiet, tell=tell)

    def import_image(
        self,
        source: PathLike | Stream,
        name: Name | None = None,
        *,
        changes: Texts = (),
        message: str = "",
        platform: str | Platform | None = None,
    ) -> ImportResult:
        """Create an image from a tar archive of files (``ghcrctl import``).

        The creation time is ``SOURCE_DATE_EPOCH`` if it is set in the environment.

        Args:
            source: a file or URL, or a binary stream that is read once. The archive may be
                compressed with gzip, bzip2, xz or zstd.
            name: the name of the image; by default, none.
            changes: Dockerfile instructions for the config, such as ``CMD ["/hello"]``.
            message: the commit message in the history of the image.
            platform: the platform of the image; by default, this machine's.

        Raises:
            NotFoundError: the file does not exist.
            UsageError: a change is invalid, or the name has a digest.
            IntegrityError: the file is damaged or not a tar archive; nothing is stored.
        """
        from ghcrctl.operations.making.import_image import import_image

        with self._session() as session, ExitStack() as stack:
            stream, what = _stream(session, stack, source)
            return import_image(
                session.store,
                stream,
                reference=reference_of(session, name).tagged() if name else None,
                changes=texts_of(changes),
                message=message or f"Imported from {what}",
                platform=platform_of(platform) or session.settings.platform,
                created=session.settings.source_date,
            )


def _stream(session: Session, stack: ExitStack, source: PathLike | Stream) -> tuple[Stream, str]:
    """Open an archive, and return the stream with its name for the history of the image."""
    from ghcrctl.content.redaction import without_secrets
    from ghcrctl.operations.making.import_image import open_import

    if not isinstance(source, (str, os.PathLike)):
        return source, "a stream"
    given = source if isinstance(source, str) else path_of(source)
    return stack.enter_context(open_import(session, given)), without_secrets(str(source))


def _assignments(values: Mapping[str, str | None] | Mapping[str, str]) -> tuple[str, ...]:
    return tuple(key if value is None else f"{key}={value}" for key, value in values.items())


def _build(  # noqa: PLR0913 one argument an option
    session: Session,
    order: BuildRequest,
    tags: Names,
    observer: Observer,
    *,
    push: bool,
    quiet: bool,
    tell: Callable[[str], None],
) -> Built:
    from ghcrctl.operations.common.batch import attempt_all
    from ghcrctl.operations.making.build import (
        build_image,
        configured_engine,
        load_build,
        parse_names,
    )
    from ghcrctl.operations.moving.push import push as push_one

    names = parse_names(session, texts_of_names(tags), push=push)
    with build_image(session, configured_engine(session), order, quiet=quiet, tell=tell) as image:
        result = load_build(session, image, names, observer)

    def act(reference: Reference, workers: Workers) -> PushResult:
        return push_one(session, reference, observer=observer, workers=workers)

    for attempt in attempt_all(session, act, names) if push else ():
        attempt.get()
    return result
