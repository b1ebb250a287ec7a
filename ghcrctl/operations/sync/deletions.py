"""Deletions of a sync: tags go, and none that stays is harmed.

What belongs here: what may be deleted by its digest. What does not: which tags go (`sync`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.content.streams import read_metadata
from ghcrctl.content.threads import threads
from ghcrctl.errors import NotFoundError, RefusedError, UnsupportedError
from ghcrctl.oci.manifest import Index, parse
from ghcrctl.operations.sync.plan import What

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.sync.plan import Task
    from ghcrctl.registry.repository import Repository


class Deletions:
    """Deletes tags one after the other.

    Where a registry deletes by digest only, a manifest goes if no tag that stays stands for it, or
    for an index that lists it; all of its tags go with it.

    Args:
        session: the run.
        tasks: all of the run; tags of the same image may go together.
    """

    def __init__(self, session: Session, tasks: Iterable[Task]) -> None:
        self._session = session
        self._doomed: dict[str, set[str]] = {}
        self._needed: dict[str, dict[str, set[Digest]]] = {}
        for task in tasks:
            if task.what is What.DELETE:
                self._doomed.setdefault(self._place(task), set()).add(task.tag)

    def delete(self, task: Task) -> None:
        """Delete a tag at the target; one that went meanwhile is none to worry about.

        Raises:
            RefusedError: a tag that stays needs the manifest.
            UnsupportedError: the registry deletes nothing.
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
                # It is there, so the registry means that it may not be deleted.
                raise
            self._delete_digest(target, task, digest)

    def _delete_digest(self, target: Repository, task: Task, digest: Digest) -> None:
        for tag, digests in self._needed_by(target, self._place(task)).items():
            if digest in digests:
                raise RefusedError(
                    f"{task.target} cannot be deleted: the registry deletes by digest only, and "
                    f"`{tag}` needs {digest}",
                    hint=f"delete both, or let `{task.tag}` be",
                )
        try:
            target.delete(str(digest))
        except UnsupportedError as error:
            error.hint = error.hint or (
                "delete it on the registry's own pages, or sync without --delete"
            )
            raise

    def _place(self, task: Task) -> str:
        return self._session.resolver.place_of(task.job.target)

    def _needed_by(self, target: Repository, name: str) -> dict[str, set[Digest]]:
        """Return what each tag that stays needs; only tags that are new are looked at again."""
        known = self._needed.setdefault(name, {})
        staying = set(target.tags()) - self._doomed.get(name, set())
        unknown = sorted(staying - known.keys())
        with threads(self._session.jobs, "tags") as pool:
            found = pool.map(lambda tag: _manifests_of(target, tag), unknown)
            known.update(zip(unknown, found, strict=True))
        return known


def _manifests_of(repository: Repository, tag: str) -> set[Digest]:
    try:
        queue = [repository.resolve(tag)]
    except NotFoundError:
        # It was deleted meanwhile.
        return set()
    found: set[Digest] = set()
    while queue:
        here = queue.pop()
        if here.digest in found:
            continue
        found.add(here.digest)
        if here.is_index:
            parsed = parse(read_metadata(repository, here), here.media_type)
            queue += parsed.manifests if isinstance(parsed, Index) else ()
    return found
