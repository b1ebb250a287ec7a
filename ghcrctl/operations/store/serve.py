"""Serve the local store as a registry."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ghcrctl.operations.common.session import Session
    from ghcrctl.server.serve import Server


def make_server(
    session: Session, host: str, port: int, *, read_only: bool, hosts: Sequence[str] = ()
) -> Server:
    """Bind to an address; requests are handled once the server runs.

    Args:
        session: the run, whose store is served.
        host: the address to listen on.
        port: the port; 0 for any free one.
        read_only: reject requests that would change the store.
        hosts: additional host names that requests may use, on a loopback address.

    Raises:
        UnsupportedError: the server's libraries are not installed.
        ConnectionFailedError: the address is not available.
    """
    from ghcrctl.server.serve import Server, check_libraries

    check_libraries()
    from ghcrctl.disk.removal import remove_directory
    from ghcrctl.server.app import RegistryApp
    from ghcrctl.server.host_guard import HostGuard
    from ghcrctl.server.store_backend import StoreBackend
    from ghcrctl.store.stale_files import UPLOADS

    store = session.store
    uploads = store.root / "ghcrctl" / UPLOADS
    if not read_only:
        store.prepare()
        store.sweep()
    app = RegistryApp(
        StoreBackend(store),
        read_only=read_only,
        upload_dir=uploads,
        owner=lambda: store.lease().id,
        guard=HostGuard(host, hosts),
    )

    def clean_up() -> None:
        app.close()
        # Another server of the same store may still use the directory.
        with suppress(OSError):
            remove_directory(uploads)

    return Server(app, host, port, cleanup=clean_up)
