"""Calls that bring images from elsewhere, or to there: save, load, build, import.

What belongs here: their arguments. What does not: what they do (``operations``).
"""

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
    """Calls that save, load, build and import."""

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
        """Save local images to an archive, which ``docker load``, podman and skopeo read, too.

        Args:
            names: one, or several: names, digests or IDs; a name without a tag stands for all of
                its tags.
            output: the file, which is there whole or not at all, or for ``oci-dir`` the directory;
                or what takes an archive's bytes.
            form: ``oci``, ``docker`` (what docker wrote until 24) or ``oci-dir``.
            compress: ``gzip`` or ``zstd``: pack the archive as a whole.
            platform: which of multi-platform images; all that are here by default.
            without: local images, archives, layouts, or files that list digests, whose content is
                left out.
            observer: watches what is written.

        Raises:
            NoSuchImageError: nothing fits a name.
            UsageError: what is wanted does not go together.
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
        """Load images from an archive, or from a directory with an OCI image layout.

        Args:
            archive: its path, or a binary stream that is read once.
            platform: which of multi-platform images; all by default.
            compress: ``gzip`` or ``zstd``: how layers are packed that are not.
            observer: watches what is read.

        Raises:
            NotFoundError: there is no such file.
            IntegrityError: it is damaged; nothing of the image is stored.
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
        """Build an image from a Dockerfile with an engine that is there.

        The engine is the setting ``builder``: ``Client(settings={"builder": "buildah"})``.

        Args:
            context: a directory, or an address; or a `BuildRequest` with all options.
            tags: one name of the image, or several.
            file: the Dockerfile; the context's usual one by default.
            platform: what to build for; several make an index.
            build_args: values of ``ARG``; ``None`` takes the environment's.
            labels: of the image.
            target: the stage to stop at.
            push: push all names when it is built.
            quiet: keep the engine's output back; it goes where this program's goes otherwise.
            tell: is given what was kept back of a build that fails.
            observer: watches what is taken in, and what is pushed.

        Raises:
            UnsupportedError: no engine is there, or it failed.
            UsageError: a name is malformed.
            NotFoundError: there is no such context.
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
        """Make an image of a file tree in a tar archive (``ghcrctl import``).

        ``SOURCE_DATE_EPOCH``, where it is in the environment, is its time of making.

        Args:
            source: a file or a web address; or a binary stream that is read once. It may be packed
                by gzip, bzip2, xz or zstd.
            name: of the image; none by default.
            changes: Dockerfile instructions for the config: ``CMD ["/hello"]``.
            message: comment of the image's history.
            platform: what it runs on; this machine's by default.

        Raises:
            NotFoundError: there is no such file.
            UsageError: a change is malformed, or the name has a digest.
            IntegrityError: it is no tar archive, or damaged; nothing is stored.
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
    """Return what an archive is read from, and its name, which becomes part of the image."""
    from ghcrctl.content.redaction import without_secrets
    from ghcrctl.operations.making.import_image import open_import

    if not isinstance(source, (str, os.PathLike)):
        return source, "a stream"
    given = source if isinstance(source, str) else path_of(source)
    return stack.enter_context(open_import(session, given)), without_secrets(str(source))


def _assignments(values: Mapping[str, str | None] | Mapping[str, str]) -> tuple[str, ...]:
    return tuple(key if value is None else f"{key}={value}" for key, value in values.items())


def _build(  # noqa: PLR0913 what the call says
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
