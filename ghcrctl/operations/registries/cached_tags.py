"""The tags of a repository for somebody who is typing: at once, or not at all.

What belongs here: asking a registry without patience and without asking anybody for a credential,
and remembering the answer for some minutes.
"""

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

# Seconds that somebody waits who pressed a key.
PATIENCE = 1.5
# Seconds for which an answer counts; and for which a registry that gave none is not asked again.
_FRESH = 300.0
_FRESH_FAILURE = 30.0
_IMPATIENT = {"retries": 0, "connect_timeout": 1, "stall_timeout": 1, "timeout": None}


def known_tags(settings: Settings, text: str) -> list[str]:
    """Return the tags of a repository, newest version first; none where that takes too long.

    Args:
        settings: where the registry and the cache are.
        text: the repository's name.
    """
    hasty = Settings(settings.environ, {**settings.flags, **_IMPATIENT})
    with suppress(GhcrctlError, OSError):
        session = Session(hasty)
        name = session.parse(text).name
        path = settings.cache_dir / "tags" / hashlib.sha256(name.encode()).hexdigest()[:32]
        remembered = _remembered(path)
        return _asked(session, text, path) if remembered is None else remembered
    return []


def _remembered(path: Path) -> list[str] | None:
    try:
        age = time.time() - path.stat().st_mtime
        tags: list[str] | None = json.loads(path.read_bytes())["tags"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if tags is None:
        return [] if age < _FRESH_FAILURE else None
    return tags if age < _FRESH else None


def _asked(session: Session, text: str, path: Path) -> list[str]:
    """Ask in a thread, which is left alone when it takes too long."""
    answer: list[Any] = []

    def ask() -> None:
        with suppress(Exception):
            answer.append(_listed(session, text))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    tags = answer[0] if answer else None
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps({"tags": tags}).encode())
    return tags or []


def _listed(session: Session, text: str) -> list[str]:
    from ghcrctl.credentials.credential_chain import silent_keychain
    from ghcrctl.operations.registries.tags import list_tags

    settings = session.settings
    session.keychain = silent_keychain(
        settings.environ, home=settings.home, config_dir=settings.config_dir
    )
    rows = list_tags(session, session.parse(text))
    return [row.tag for row in rows if not is_helper(row.tag)]
