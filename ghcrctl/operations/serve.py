"""Serve: the local store as a registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ghcrctl.operations.session import Session
    from ghcrctl.server.serve import Server


def make_server(session: Session, host: str, port: int, *, read_only: bool) -> Server:
    """Listen on an address; requests are answered once the server runs.

    Args:
        session: the run, whose store is served.
        host: the address to listen on.
        port: 0 takes a free one.
        read_only: refuse everything that would change the store.

    Raises:
        UnsupportedError: the server's library is not installed.
        ConnectionFailedError: the address cannot be listened on.
    """
    from ghcrctl.server.app import RegistryApp
    from ghcrctl.server.serve import Server
    from ghcrctl.server.store_backend import StoreBackend

    store = session.store
    if not read_only:
        store.prepare()
    app = RegistryApp(
        StoreBackend(store), read_only=read_only, upload_dir=store.root / "ghcrctl" / "uploads"
    )
    return Server(app, host, port)
