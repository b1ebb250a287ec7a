"""Options of the HTTP transport."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ghcrctl.content.retry import RetryPolicy
from ghcrctl.content.wait_events import ignore_wait
from ghcrctl.registry.endpoint import TlsPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.content.wait_events import Waiting
    from ghcrctl.registry.proxies import ProxyRules


@dataclass(frozen=True, slots=True)
class TransportOptions:
    """Options for HTTP connections.

    Args:
        connect_timeout: time to wait for a connection (seconds).
        stall_timeout: time without data after which a connection is dropped (seconds).
        retry: the retry policy.
        tls: the TLS policy.
        user_agent: the value of ``User-Agent``.
        jobs: the number of blobs transferred in parallel, each over its own connection.
        connections: the number of additional connections that read large blobs ahead; 1 disables
            reading ahead.
        chunk: the size of upload chunks (bytes); 0 to upload blobs in one request where possible.
        proxies: the proxy settings; by default, from this process's environment.
        debug: called with a line for each request and its response, without secrets.
        waiting: called with each wait before a retry.
        check_host: raises an error for a host that must not be contacted even if a registry names
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
