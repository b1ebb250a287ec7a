"""``ghcrctl serve``."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.options import format_option, pass_app, quiet_option
from ghcrctl.cli.results import Results
from ghcrctl.errors import UsageError
from ghcrctl.oci.numbers import whole_number

if TYPE_CHECKING:
    from ghcrctl.cli.app import App


@click.command(
    cls=Command,
    examples="""
    ghcrctl serve
    ghcrctl serve --addr 127.0.0.1:0 --store /srv/images --read-only
    docker pull localhost:5000/ghcr.io/OWNER/IMAGE:1.0
    """,
)
@click.option(
    "--addr",
    metavar="HOST:PORT",
    default="127.0.0.1:5000",
    show_default=True,
    help="Listen on this address. Port 0 picks a free port.",
)
@click.option(
    "--allow-host",
    "hosts",
    metavar="NAME",
    multiple=True,
    help="Accept this Host header on loopback (repeatable).",
)
@click.option("--read-only", is_flag=True, help="Refuse pushes and deletions.")
@quiet_option("the address")
@format_option
@pass_app
def command(
    app: App,
    *,
    addr: str,
    hosts: tuple[str, ...],
    read_only: bool,
    quiet: bool,
    format_: str | None,
) -> None:
    """Serve the local store as a registry for pull and push.

    There is no authentication and no TLS. On an address other than loopback, everyone who can reach
    the server can read and, without --read-only, write. On loopback, the Host header must name this
    machine, or a host given by --allow-host, such as that of a reverse proxy.
    """
    from ghcrctl.operations.store.serve import make_server

    results = Results(app, format_)
    host, port = _address(addr)
    with app.session() as session:
        server = make_server(session, host, port, read_only=read_only, hosts=hosts)
        if host not in {"127.0.0.1", "::1", "localhost"}:
            app.warn(f"other machines can connect to {host}, without authentication and TLS")
        address = server.url.removeprefix("http://")
        where = f"Serving {session.store.root} on {server.url} (press Ctrl-C to stop)"
        results.out(address if quiet else where)
        results.add(
            {
                "Address": address,
                "URL": server.url,
                "Store": str(session.store.root),
                "ReadOnly": read_only,
            }
        )
        results.end(single=True)
        with closing(server):
            server.run()


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    number = whole_number(port)
    if number is None or number > 65535:
        raise UsageError(f"invalid address `{text}`: expected HOST:PORT")
    return host.strip("[]") or "127.0.0.1", number
