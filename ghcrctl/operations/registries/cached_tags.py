"""Tags for shell completion: a short time limit, no prompts, and a cache of a few minutes."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ghcrctl.disk.durability import write_atomically
from ghcrctl.errors import GhcrctlError
from ghcrctl.operations.common.session import Session
from ghcrctl.operations.registries.tags import is_helper
from ghcrctl.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

# How long completion waits for a registry (seconds).
MAX_WAIT_SECONDS = 1.5
# How long a list of tags is cached, and how long a registry is skipped after a failure.
_FRESH_SECONDS = 300.0
_FRESH_FAILURE_SECONDS = 30.0
_IMPATIENT = {"retries": 0, "connect_timeout": 1, "stall_timeout": 1, "timeout": None}


def cached_tags(settings: Settings, text: str) -> list[str]:
    """Return the tags of a repository, newest version first; none if the registry is too slow.

    Args:
        settings: the settings, with the registries and the cache directory.
        text: the repository's name.
    """
    impatient = Settings(settings.environ, {**settings.flags, **_IMPATIENT})
    with suppress(GhcrctlError, OSError):
        session = Session(impatient)
        name = session.parse(text).name
        path = settings.cache_dir / "tags" / hashlib.sha256(name.encode()).hexdigest()[:32]
        remembered = _read_cache(path)
        return _list_in_thread(session, text, path) if remembered is None else remembered
    return []


def _read_cache(path: Path) -> list[str] | None:
    try:
        age = time.time() - path.stat().st_mtime
        tags: list[str] | None = json.loads(path.read_bytes())["tags"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if tags is None:
        return [] if age < _FRESH_FAILURE_SECONDS else None
    return tags if age < _FRESH_SECONDS else None


def _list_in_thread(session: Session, text: str, path: Path) -> list[str]:
    """List the tags in a thread that is abandoned after the time limit; cache the result."""
    results: list[Any] = []

    def list_tags() -> None:
        with suppress(Exception):
            results.append(_list_tags(session, text))

    thread = threading.Thread(target=list_tags, daemon=True)
    thread.start()
    thread.join(MAX_WAIT_SECONDS)
    tags = results[0] if results else None
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps({"tags": tags}).encode())
    return tags or []


def _list_tags(session: Session, text: str) -> list[str]:
    from ghcrctl.credentials.credential_chain import silent_chain
    from ghcrctl.operations.registries.tags import list_tags

    settings = session.settings
    session.credential_chain = silent_chain(
        settings.environ, home=settings.home, config_dir=settings.config_dir
    )
    rows = list_tags(session, session.parse(text))
    return [row.tag for row in rows if not is_helper(row.tag)]
