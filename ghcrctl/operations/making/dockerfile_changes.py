"""Apply Dockerfile instructions to an image config, as ``docker import --change`` does.

Source: docker's "Dockerfile reference".
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any

from ghcrctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Config = dict[str, Any]

_PORT = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(tcp|udp|sctp))?\Z", re.IGNORECASE)
_SHELL = ["/bin/sh", "-c"]


def apply_changes(config: Mapping[str, Any], changes: Sequence[str]) -> dict[str, Any]:
    """Return a config with instructions applied in order.

    Args:
        config: the ``config`` object of an image config.
        changes: instructions such as ``CMD ["/hello"]`` or ``ENV A=b``.

    Raises:
        UsageError: an instruction is unknown or malformed.
    """
    changed = json.loads(json.dumps(dict(config)))
    for change in changes:
        word, _, rest = change.strip().partition(" ")
        apply = _INSTRUCTIONS.get(word.upper())
        if apply is None:
            known = ", ".join(sorted(_INSTRUCTIONS))
            raise UsageError(f"invalid change `{change}`: unknown instruction", hint=f"use {known}")
        if not rest.strip():
            raise UsageError(f"invalid change `{change}`: it has no argument")
        try:
            apply(changed, rest.strip())
        except ValueError as error:
            raise UsageError(f"invalid change `{change}`: {error}") from None
    result: dict[str, Any] = changed
    return result


def _command(key: str) -> Callable[[Config, str], None]:
    def apply(config: Config, rest: str) -> None:
        config[key] = _words_or_shell(rest)

    return apply


def _words_or_shell(rest: str) -> list[str]:
    """Parse ``["a", "b"]``, or return a shell command line."""
    words = _json_list(rest)
    return words if words is not None else [*_SHELL, rest]


def _json_list(rest: str) -> list[str] | None:
    if not rest.startswith("["):
        return None
    try:
        words = json.loads(rest)
    except ValueError:
        return None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ValueError("expected a list of texts")
    return words


def _pairs(rest: str) -> list[tuple[str, str]]:
    """Parse ``k=v k2="v 2"``, or the old form ``k v``."""
    first = rest.split(None, 1)
    if "=" not in first[0]:
        if len(first) < 2:
            raise ValueError(f"`{rest}` has no value")
        return [(first[0], first[1])]
    pairs = [word.partition("=") for word in shlex.split(rest)]
    for name, equals, _ in pairs:
        if not equals or not name:
            raise ValueError(f"`{name}` is not NAME=VALUE")
    return [(name, value) for name, _, value in pairs]


def _env(config: Config, rest: str) -> None:
    env = {entry.partition("=")[0]: entry for entry in config.get("Env") or []}
    env.update((name, f"{name}={value}") for name, value in _pairs(rest))
    config["Env"] = list(env.values())


def _label(config: Config, rest: str) -> None:
    config["Labels"] = {**(config.get("Labels") or {}), **dict(_pairs(rest))}


def _expose(config: Config, rest: str) -> None:
    ports = dict(config.get("ExposedPorts") or {})
    for word in shlex.split(rest):
        match = _PORT.match(word)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if not match or not 0 < first <= last <= 65535:
            raise ValueError(f"invalid port `{word}`")
        protocol = (match[3] or "tcp").lower()
        ports.update({f"{port}/{protocol}": {} for port in range(first, last + 1)})
    config["ExposedPorts"] = ports


def _volume(config: Config, rest: str) -> None:
    volumes = _json_list(rest) or shlex.split(rest)
    config["Volumes"] = {**(config.get("Volumes") or {}), **{volume: {} for volume in volumes}}


def _onbuild(config: Config, rest: str) -> None:
    if rest.split(maxsplit=1)[0].upper() in {"ONBUILD", "FROM", "MAINTAINER"}:
        raise ValueError("the instruction is not allowed in ONBUILD")
    config["OnBuild"] = [*(config.get("OnBuild") or []), rest]


def _workdir(config: Config, rest: str) -> None:
    before = str(config.get("WorkingDir") or "/")
    config["WorkingDir"] = rest if rest.startswith("/") else f"{before.rstrip('/')}/{rest}"


def _user(config: Config, rest: str) -> None:
    if len(rest.split()) != 1:
        raise ValueError("expected one argument")
    config["User"] = rest


def _stop_signal(config: Config, rest: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9+-]+", rest):
        raise ValueError("expected the name or number of a signal")
    config["StopSignal"] = rest


def _healthcheck(config: Config, rest: str) -> None:
    word, _, command = rest.partition(" ")
    if word.upper() == "NONE":
        config["Healthcheck"] = {"Test": ["NONE"]}
        return
    if word.upper() != "CMD" or not command.strip():
        raise ValueError("expected NONE or CMD COMMAND")
    words = _json_list(command.strip())
    test = ["CMD", *words] if words is not None else ["CMD-SHELL", command.strip()]
    config["Healthcheck"] = {"Test": test}


_INSTRUCTIONS: Mapping[str, Callable[[Config, str], None]] = {
    "CMD": _command("Cmd"),
    "ENTRYPOINT": _command("Entrypoint"),
    "ENV": _env,
    "EXPOSE": _expose,
    "HEALTHCHECK": _healthcheck,
    "LABEL": _label,
    "ONBUILD": _onbuild,
    "STOPSIGNAL": _stop_signal,
    "USER": _user,
    "VOLUME": _volume,
    "WORKDIR": _workdir,
}
