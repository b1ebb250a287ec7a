"""Options of the HTTP transport."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ghcrctl.content.rate_limit_waits import ignore_wait
from ghcrctl.content.retry import RetryPolicy
from ghcrctl.registry.endpoint import TlsPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.content.rate_limit_waits import Waiting
    from ghcrctl.registry.proxies import ProxyRules


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """How to talk.

    Args:
        connect_timeout: seconds to wait for a connection.
        stall_timeout: seconds without a byte after which a connection is given up.
        retry: how patiently a request is tried again.
        tls: whom to trust.
        user_agent: who we are.
        jobs: how many pieces of content move at once, each through a connection of its own.
        connections: how many more read ahead in large ones; with 1, each is read in one go.
        chunk: bytes of a piece in which blobs are sent; 0 sends each whole where that is possible.
        proxies: which proxies are used; those of this process's environment by default.
        debug: is called with each request and its response, without secrets.
        waiting: is called with each wait.
        check_host: raises an error for a host that must not be contacted, though a registry names
            it.
    """

    connect_timeout: float = 15.0
    stall_timeout: float = 60.0
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    tls: TlsPolicy = field(default_factory=TlsPolicy)
    user_agent: str = "ghcrctl"
    jobs: int = 12
    connections: int = 6
    chunk: int = 0
    proxies: ProxyRules | None = None
    debug: Callable[[str], None] | None = None
    waiting: Waiting = ignore_wait
    check_host: Callable[[str], None] = lambda _: None
