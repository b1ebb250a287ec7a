"""Push missing manifests to a package, from a source that still has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import NotFoundError
from ghcrctl.oci.manifest import Index, parse
from ghcrctl.operations.moving.endpoints.parse import parse_endpoint
from ghcrctl.transfer.execute import TransferOptions, execute
from ghcrctl.transfer.plan import make_plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.moving.endpoints.base import OpenSource
    from ghcrctl.operations.packages.package_names import PackageName


def make_pusher(session: Session, named: PackageName, source: str) -> Callable[[str], None]:
    """Return a function that pushes a manifest and everything it needs to a package.

    Args:
        session: the run.
        named: the package.
        source: the endpoint of an image that has the manifest, as for `copy`.

    Raises:
        UsageError: the source is not an endpoint.
    """
    end = parse_endpoint(session, source)
    target = session.repository(named.reference)

    def push(digest: str) -> None:
        with end.source(session) as found, session.workers() as workers:
            plan = make_plan(found.place, target, _find(found, digest, source), jobs=session.jobs)
            execute(plan, TransferOptions(workers, session.retry, {}))

    return push


def _find(found: OpenSource, digest: str, source: str) -> Descriptor:
    queue, seen = [found.root], set()
    while queue:
        current = queue.pop()
        if str(current.digest) == digest:
            return current
        if current.is_index and current.digest not in seen:
            seen.add(current.digest)
            parsed = parse(read_metadata(found.place, current), current.media_type)
            queue += parsed.manifests if isinstance(parsed, Index) else ()
    raise NotFoundError(
        f"{source} has no {digest}", hint="use the same image: it must have the same digest"
    )
