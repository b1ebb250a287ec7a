"""The settings of ghcrctl."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ghcrctl.oci.reference import DEFAULT_REGISTRY
from ghcrctl.settings.setting_types import (
    ADDRESS,
    HOSTS,
    MIRRORS,
    PATH,
    PLATFORM,
    REGISTRY,
    SECONDS,
    SWITCH,
    one_of,
    whole,
)

if TYPE_CHECKING:
    from ghcrctl.settings.setting_types import Kind

_PROGRESS = ("auto", "bar", "plain", "json", "none")
# A piece is kept in memory.
_MAX_CHUNK_BYTES = 1 << 30
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
    kind: Kind
    default: Any
    help: str


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "store", "GHCRCTL_STORE", PATH, None, "Directory of the image store. Also `--store DIR`."
    ),
    Setting(
        "default_registry",
        "GHCRCTL_DEFAULT_REGISTRY",
        REGISTRY,
        DEFAULT_REGISTRY,
        "Registry of a name that has an owner but no registry. With docker.io, `alpine` is "
        "docker.io/library/alpine, as in docker.",
    ),
    Setting(
        "platform",
        "GHCRCTL_PLATFORM",
        PLATFORM,
        None,
        "Platform to choose from multi-platform images, such as linux/arm64. Without it, "
        "DOCKER_DEFAULT_PLATFORM, then Linux on this machine's processor.",
    ),
    Setting(
        "jobs",
        "GHCRCTL_JOBS",
        whole(1, 1000),
        12,
        "Number of layers transferred at once. Also `--jobs N`.",
    ),
    Setting(
        "connections",
        "GHCRCTL_CONNECTIONS",
        whole(1, 1000),
        6,
        "How many connections read ahead in large layers; 1 reads each layer through one.",
    ),
    Setting(
        "upload_chunk",
        "GHCRCTL_UPLOAD_CHUNK",
        whole(0, _MAX_CHUNK_BYTES),
        0,
        "Bytes of a piece in which layers are sent; 0 sends each in one, and in pieces only where "
        "that is refused or broke off.",
    ),
    Setting(
        "retries",
        "GHCRCTL_RETRIES",
        whole(0, 1000),
        4,
        "How often a failed request is tried again. Also `--retries N`.",
    ),
    Setting(
        "timeout",
        "GHCRCTL_TIMEOUT",
        SECONDS,
        None,
        "Seconds after which a command gives up; none by default. Also `--timeout SECONDS`.",
    ),
    Setting(
        "connect_timeout",
        "GHCRCTL_CONNECT_TIMEOUT",
        SECONDS,
        15.0,
        "Seconds to wait for a connection, its TLS handshake included. Also "
        "`--connect-timeout SECONDS`.",
    ),
    Setting(
        "stall_timeout",
        "GHCRCTL_STALL_TIMEOUT",
        SECONDS,
        60.0,
        "Seconds without a byte after which a connection is given up. Also "
        "`--stall-timeout SECONDS`.",
    ),
    Setting(
        "ca_file",
        "GHCRCTL_CA_FILE",
        PATH,
        None,
        "PEM file with certificates to trust besides the system's. Also `--ca-file FILE`.",
    ),
    Setting(
        "client_cert",
        "GHCRCTL_CLIENT_CERT",
        PATH,
        None,
        "PEM client certificate for registries that require one.",
    ),
    Setting(
        "client_key", "GHCRCTL_CLIENT_KEY", PATH, None, "PEM file with that certificate's key."
    ),
    Setting(
        "insecure",
        "GHCRCTL_INSECURE",
        SWITCH,
        default=False,
        help="Accept any certificate, and plain HTTP. Also `--insecure`.",
    ),
    Setting(
        "insecure_registries",
        "GHCRCTL_INSECURE_REGISTRIES",
        HOSTS,
        (),
        "Registries (HOST[:PORT]) or networks (10.0.0.0/8) for which `insecure` holds. Docker's "
        "insecure-registries count, too.",
    ),
    Setting(
        "mirrors",
        "GHCRCTL_MIRRORS",
        MIRRORS,
        {},
        "Where to pull from first, by registry or the start of a name: a table "
        "`[mirrors]` with lists, or PREFIX=PLACE,PREFIX=PLACE. Further mirrors are read from "
        "containers' registries.conf and docker's daemon.json.",
    ),
    Setting(
        "builder",
        "GHCRCTL_BUILDER",
        one_of(*_BUILDERS),
        "auto",
        f"What builds: {', '.join(_BUILDERS)}.",
    ),
    Setting(
        "progress",
        "GHCRCTL_PROGRESS",
        one_of(*_PROGRESS),
        "auto",
        f"How progress is shown on standard error: {', '.join(_PROGRESS)}; auto is bars on a "
        "terminal and plain lines elsewhere. Also `--progress`.",
    ),
    Setting(
        "no_input",
        "GHCRCTL_NO_INPUT",
        SWITCH,
        default=False,
        help="Never ask; what would ask fails instead. Also `--no-input`.",
    ),
    Setting(
        "ci",
        "GHCRCTL_CI",
        SWITCH,
        default=True,
        help="In a job of GitHub Actions, give outputs, a summary, annotations and groups of "
        "lines; in any job, draw no bars. False makes a job like any other place.",
    ),
    Setting(
        "github_api",
        "GHCRCTL_GITHUB_API",
        ADDRESS,
        None,
        "Address of GitHub's REST API. Without it, the one that belongs to the registry: "
        "https://api.github.com for ghcr.io, https://HOST/api/v3 for containers.HOST, "
        "https://api.NAME.ghe.com for containers.NAME.ghe.com.",
    ),
    Setting(
        "github_web",
        "GHCRCTL_GITHUB_WEB",
        ADDRESS,
        None,
        "Address of GitHub's pages for people, where it cannot be told from the registry.",
    ),
    Setting(
        "github_rate",
        "GHCRCTL_GITHUB_RATE",
        whole(0, 1_000_000),
        900,
        "Points that requests to GitHub's REST API may cost a minute, where one that reads costs "
        "1 and one that writes 5; 0 for any number, as on an Enterprise Server without limits.",
    ),
    Setting(
        "keyring",
        "GHCRCTL_KEYRING",
        SWITCH,
        default=True,
        help="Keep and look for credentials in the system's keyring.",
    ),
    Setting(
        "human",
        "GHCRCTL_HUMAN",
        SWITCH,
        default=True,
        help="Write sizes and times in listings for people; else exact, in bytes and as RFC 3339. "
        "Also `--human` and `--exact`.",
    ),
    Setting(
        "debug",
        "GHCRCTL_DEBUG",
        SWITCH,
        default=False,
        help="Show requests and tracebacks. Also `--debug`.",
    ),
)

# Variables without a setting: they belong to one run, or locate the settings.
VARIABLES = {
    "GHCRCTL_CACHE_DIR": "Directory for cached downloads.",
    "GHCRCTL_CONFIG_DIR": "Directory of config.toml and stored credentials.",
    "GHCRCTL_DEST_PASSWORD": "Password for --dest-creds.",
    "GHCRCTL_REGISTRY": "Registry that GHCRCTL_TOKEN is for; ghcr.io by default.",
    "GHCRCTL_SRC_PASSWORD": "Password for --src-creds.",
    "GHCRCTL_TOKEN": "Password or token for GHCRCTL_REGISTRY.",
    "GHCRCTL_USERNAME": "User name for GHCRCTL_TOKEN.",
}
