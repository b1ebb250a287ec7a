"""Which settings there are, and how the text of each is read.

What belongs here: the table. What does not: where a value comes from (``ghcrctl.settings``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ghcrctl.oci.platform import Platform
from ghcrctl.oci.reference import DEFAULT_REGISTRY

if TYPE_CHECKING:
    from collections.abc import Callable

_PROGRESS = ("auto", "bar", "plain", "json", "none")
_BUILDERS = ("auto", "buildx", "buildah", "podman", "docker")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Args:
        name: its key in ``config.toml``.
        env: its variable.
        kind: how its text is read.
        default: its value where nobody gives one; ``None`` where that depends on the machine.
        help: what it does, for people.
    """

    name: str
    env: str
    kind: Callable[[Any], Any]
    default: Any
    help: str


def _switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError("it is neither true nor false")


def _whole(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise ValueError("it is no whole number") from None


def _positive(value: object) -> int:
    number = _whole(value)
    if number < 1:
        raise ValueError("it must be at least 1")
    return number


def _count(value: object) -> int:
    number = _whole(value)
    if number < 0:
        raise ValueError("it must not be negative")
    return number


def _seconds(value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        raise ValueError("it is no number of seconds") from None
    if not 0 < number < 86400:
        raise ValueError("it must be more than 0 and less than a day of seconds")
    return number


def _names(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else str(value).replace(",", " ").split()
    return tuple(str(item) for item in items)


def _mirrors(value: object) -> dict[str, list[str]]:
    if isinstance(value, dict):
        items = [(k, v if isinstance(v, list) else [v]) for k, v in value.items()]
        return {str(prefix): [str(place) for place in places] for prefix, places in items}
    found: dict[str, list[str]] = {}
    for item in str(value).replace(",", " ").split():
        prefix, equals, place = item.partition("=")
        if not (prefix and equals and place):
            raise ValueError(f"`{item}` is no PREFIX=PLACE")
        found.setdefault(prefix, []).append(place)
    return found


def _one_of(words: tuple[str, ...]) -> Callable[[object], str]:
    def read(value: object) -> str:
        if value not in words:
            raise ValueError(f"it is none of {', '.join(words)}")
        return str(value)

    return read


def _address(value: object) -> str:
    text = str(value).rstrip("/")
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        raise ValueError("it is no web address")
    return text


def _path(value: object) -> Path:
    return Path(str(value)).expanduser()


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "store", "GHCRCTL_STORE", _path, None, "Directory of the image store. Also `--store DIR`."
    ),
    Setting(
        "default_registry",
        "GHCRCTL_DEFAULT_REGISTRY",
        str,
        DEFAULT_REGISTRY,
        "Registry of a name that has an owner but no registry.",
    ),
    Setting(
        "platform",
        "GHCRCTL_PLATFORM",
        Platform.parse,
        None,
        "Platform to choose from multi-platform images, such as linux/arm64. Without it, "
        "DOCKER_DEFAULT_PLATFORM, then Linux on this machine's processor.",
    ),
    Setting(
        "jobs", "GHCRCTL_JOBS", _positive, 12, "How many layers move at once. Also `--jobs N`."
    ),
    Setting(
        "connections",
        "GHCRCTL_CONNECTIONS",
        _positive,
        6,
        "How many connections read ahead in large layers; 1 reads each layer through one.",
    ),
    Setting(
        "upload_chunk",
        "GHCRCTL_UPLOAD_CHUNK",
        _count,
        0,
        "Bytes of a piece in which layers are sent; 0 sends each in one, and in pieces only where "
        "that is refused or broke off.",
    ),
    Setting(
        "retries",
        "GHCRCTL_RETRIES",
        _count,
        4,
        "How often a failed request is tried again. Also `--retries N`.",
    ),
    Setting(
        "timeout",
        "GHCRCTL_TIMEOUT",
        _seconds,
        None,
        "Seconds after which a command gives up; none by default. Also `--timeout SECONDS`.",
    ),
    Setting(
        "connect_timeout",
        "GHCRCTL_CONNECT_TIMEOUT",
        _seconds,
        15.0,
        "Seconds to wait for a connection, its TLS handshake included. Also "
        "`--connect-timeout SECONDS`.",
    ),
    Setting(
        "stall_timeout",
        "GHCRCTL_STALL_TIMEOUT",
        _seconds,
        60.0,
        "Seconds without a byte after which a connection is given up. Also "
        "`--stall-timeout SECONDS`.",
    ),
    Setting(
        "ca_file",
        "GHCRCTL_CA_FILE",
        _path,
        None,
        "PEM file with certificates to trust besides the system's. Also `--ca-file FILE`.",
    ),
    Setting(
        "client_cert", "GHCRCTL_CLIENT_CERT", _path, None, "PEM client certificate, where wanted."
    ),
    Setting(
        "client_key", "GHCRCTL_CLIENT_KEY", _path, None, "PEM file with that certificate's key."
    ),
    Setting(
        "insecure",
        "GHCRCTL_INSECURE",
        _switch,
        default=False,
        help="Accept any certificate, and plain HTTP. Also `--insecure`.",
    ),
    Setting(
        "insecure_registries",
        "GHCRCTL_INSECURE_REGISTRIES",
        _names,
        (),
        "Registries (HOST[:PORT]) for which `insecure` holds.",
    ),
    Setting(
        "mirrors",
        "GHCRCTL_MIRRORS",
        _mirrors,
        {},
        "Where to pull from first, by registry or the start of a name: a table "
        "`[mirrors]` with lists, or PREFIX=PLACE,PREFIX=PLACE. Further mirrors are read from "
        "containers' registries.conf and docker's daemon.json.",
    ),
    Setting(
        "builder",
        "GHCRCTL_BUILDER",
        _one_of(_BUILDERS),
        "auto",
        f"What builds: {', '.join(_BUILDERS)}.",
    ),
    Setting(
        "progress",
        "GHCRCTL_PROGRESS",
        _one_of(_PROGRESS),
        "auto",
        f"How progress is shown on standard error: {', '.join(_PROGRESS)}; auto is bars on a "
        "terminal and plain lines elsewhere. Also `--progress`.",
    ),
    Setting(
        "no_input",
        "GHCRCTL_NO_INPUT",
        _switch,
        default=False,
        help="Never ask; what would ask fails instead. Also `--no-input`.",
    ),
    Setting(
        "ci",
        "GHCRCTL_CI",
        _switch,
        default=True,
        help="In a job of GitHub Actions, give outputs, a summary, annotations and groups of "
        "lines; in any job, draw no bars. False makes a job like any other place.",
    ),
    Setting(
        "github_api",
        "GHCRCTL_GITHUB_API",
        _address,
        None,
        "Address of GitHub's REST API. Without it, the one that belongs to the registry: "
        "https://api.github.com for ghcr.io, https://HOST/api/v3 for containers.HOST, "
        "https://api.NAME.ghe.com for containers.NAME.ghe.com.",
    ),
    Setting(
        "github_web",
        "GHCRCTL_GITHUB_WEB",
        _address,
        None,
        "Address of GitHub's pages for people, where it cannot be told from the registry.",
    ),
    Setting(
        "github_rate",
        "GHCRCTL_GITHUB_RATE",
        _count,
        900,
        "Points that requests to GitHub's REST API may cost a minute, where one that reads costs "
        "1 and one that writes 5; 0 for any number, as on an Enterprise Server without limits.",
    ),
    Setting(
        "keyring",
        "GHCRCTL_KEYRING",
        _switch,
        default=True,
        help="Keep and look for credentials in the system's keyring.",
    ),
    Setting(
        "human",
        "GHCRCTL_HUMAN",
        _switch,
        default=True,
        help="Write sizes and times in listings for people; else exact, in bytes and as RFC 3339. "
        "Also `--human` and `--exact`.",
    ),
    Setting(
        "debug",
        "GHCRCTL_DEBUG",
        _switch,
        default=False,
        help="Show requests and tracebacks. Also `--debug`.",
    ),
)
