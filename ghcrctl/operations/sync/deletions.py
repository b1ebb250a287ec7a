"""Delete tags at the target of a sync without harming the tags that are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.content.streams import read_metadata
from ghcrctl.content.threads import thread_pool
from ghcrctl.errors import NotFoundError, RefusedError, UnsupportedError
from ghcrctl.oci.manifest import Index, parse
from ghcrctl.operations.sync.plan import TagAction

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.sync.plan import Task
    from ghcrctl.registry.repository import Repository


class Deletions:
    """Deletes tags one at a time.

    If a registry deletes only by digest, a manifest is deleted only if no kept tag points to it or
    to an index that lists it. All of its tags are deleted with it.

    Args:
        session: the run.
        tasks: all tasks of the run; tags of the same image may be deleted together.
    """

    def __init__(self, session: Session, tasks: Iterable[Task]) -> None:
        self._session = session
        self._doomed: dict[str, set[str]] = {}
        self._needed: dict[str, dict[str, set[Digest]]] = {}
        for task in tasks:
            if task.what is TagAction.DELETE:
                self._doomed.setdefault(self._place(task), set()).add(task.tag)

    def delete(self, task: Task) -> None:
        """Delete a tag at the target; ignore a tag that no longer exists.

        Raises:
            RefusedError: a kept tag needs the manifest.
            UnsupportedError: the registry does not support deletion.
        """
        target = self._session.repository(task.job.target)
        try:
            target.delete(task.tag)
        except (NotFoundError, UnsupportedError) as error:
            try:
                digest = target.digest_of(task.tag)
            except NotFoundError:
                return
            if isinstance(error, NotFoundError):
                # The tag exists, so the registry refuses to delete it.
                raise
            self._delete_digest(target, task, digest)

    def _delete_digest(self, target: Repository, task: Task, digest: Digest) -> None:
        for tag, digests in self._needed_by(target, self._place(task)).items():
            if digest in digests:
                raise RefusedError(
                    f"cannot delete {task.target}: the registry deletes only by digest, and "
                    f"`{tag}` needs {digest}",
                    hint=f"delete both, or keep `{task.tag}`",
                )
        try:
            target.delete(str(digest))
        except UnsupportedError as error:
            error.hint = error.hint or (
                "delete it on the registry's website, or sync without --delete"
            )
            raise

    def _place(self, task: Task) -> str:
        return self._session.resolver.place_of(task.job.target)

    def _needed_by(self, target: Repository, name: str) -> dict[str, set[Digest]]:
        """Return what each kept tag needs; read only tags that are new."""
        known = self._needed.setdefault(name, {})
        staying = set(target.tags()) - self._doomed.get(name, set())
        unknown = sorted(staying - known.keys())
        with thread_pool(self._session.jobs, "tags") as pool:
            found = pool.map(lambda tag: _manifests_of(target, tag), unknown)
            known.update(zip(unknown, found, strict=True))
        return known


def _manifests_of(repository: Repository, tag: str) -> set[Digest]:
    try:
        queue = [repository.resolve(tag)]
    except NotFoundError:
        # It was deleted in the meantime.
        return set()
    found: set[Digest] = set()
    while queue:
        current = queue.pop()
        if current.digest in found:
            continue
        found.add(current.digest)
        if current.is_index:
            parsed = parse(read_metadata(repository, current), current.media_type)
            queue += parsed.manifests if isinstance(parsed, Index) else ()
    return found
