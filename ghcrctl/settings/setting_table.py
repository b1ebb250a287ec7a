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
# Chunks are kept in memory.
_MAX_CHUNK_BYTES = 1 << 30
_BUILDERS = ("auto", "buildx", "buildah", "podman", "docker")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Args:
        name: the key in ``config.toml``.
        env: the environment variable.
        kind: how its value is parsed.
        default: the default value; ``None`` if it depends on the machine.
        help: the description for users.
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
        "Registry for names with an owner but no registry. With docker.io, `alpine` is "
        "docker.io/library/alpine, as in docker.",
    ),
    Setting(
        "platform",
        "GHCRCTL_PLATFORM",
        PLATFORM,
        None,
        "Platform to choose from multi-platform images, such as linux/arm64. By default "
        "DOCKER_DEFAULT_PLATFORM, or else Linux on this machine's processor.",
    ),
    Setting(
        "jobs",
        "GHCRCTL_JOBS",
        whole(1, 1000),
        12,
        "Number of layers to transfer in parallel. Also `--jobs N`.",
    ),
    Setting(
        "connections",
        "GHCRCTL_CONNECTIONS",
        whole(1, 1000),
        6,
        "Number of connections that read ahead in large layers; 1 disables reading ahead.",
    ),
    Setting(
        "upload_chunk",
        "GHCRCTL_UPLOAD_CHUNK",
        whole(0, _MAX_CHUNK_BYTES),
        0,
        "Chunk size for uploads in bytes. With 0, each layer is uploaded in one request, and in "
        "chunks only if that fails.",
    ),
    Setting(
        "retries",
        "GHCRCTL_RETRIES",
        whole(0, 1000),
        4,
        "Number of retries for failed requests. Also `--retries N`.",
    ),
    Setting(
        "timeout",
        "GHCRCTL_TIMEOUT",
        SECONDS,
        None,
        "Time limit for a command in seconds; none by default. Also `--timeout SECONDS`.",
    ),
    Setting(
        "connect_timeout",
        "GHCRCTL_CONNECT_TIMEOUT",
        SECONDS,
        15.0,
        "Time limit for connecting in seconds, including the TLS handshake. Also "
        "`--connect-timeout SECONDS`.",
    ),
    Setting(
        "stall_timeout",
        "GHCRCTL_STALL_TIMEOUT",
        SECONDS,
        60.0,
        "Seconds without data after which a connection is dropped. Also `--stall-timeout SECONDS`.",
    ),
    Setting(
        "ca_file",
        "GHCRCTL_CA_FILE",
        PATH,
        None,
        "PEM file with CA certificates to trust besides the system's. Also `--ca-file FILE`.",
    ),
    Setting(
        "client_cert",
        "GHCRCTL_CLIENT_CERT",
        PATH,
        None,
        "PEM client certificate for registries that require one.",
    ),
    Setting(
        "client_key",
        "GHCRCTL_CLIENT_KEY",
        PATH,
        None,
        "PEM file with the client certificate's key.",
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
        "Registries (HOST[:PORT]) or networks (10.0.0.0/8) to treat as insecure, in addition to "
        "docker's insecure-registries.",
    ),
    Setting(
        "mirrors",
        "GHCRCTL_MIRRORS",
        MIRRORS,
        {},
        "Mirrors to pull from first, by registry or name prefix: a table `[mirrors]` with lists, "
        "or PREFIX=PLACE,PREFIX=PLACE. More mirrors are read from registries.conf and docker's "
        "daemon.json.",
    ),
    Setting(
        "builder",
        "GHCRCTL_BUILDER",
        one_of(*_BUILDERS),
        "auto",
        f"Build engine: {', '.join(_BUILDERS)}.",
    ),
    Setting(
        "progress",
        "GHCRCTL_PROGRESS",
        one_of(*_PROGRESS),
        "auto",
        f"Progress output on standard error: {', '.join(_PROGRESS)}; auto means bars on a "
        "terminal and plain lines elsewhere. Also `--progress`.",
    ),
    Setting(
        "no_input",
        "GHCRCTL_NO_INPUT",
        SWITCH,
        default=False,
        help="Never prompt; fail instead. Also `--no-input`.",
    ),
    Setting(
        "ci",
        "GHCRCTL_CI",
        SWITCH,
        default=True,
        help="In GitHub Actions jobs, write outputs, a summary, annotations and log groups; in "
        "any CI job, draw no bars. False disables this.",
    ),
    Setting(
        "github_api",
        "GHCRCTL_GITHUB_API",
        ADDRESS,
        None,
        "URL of GitHub's REST API. By default it depends on the registry: "
        "https://api.github.com for ghcr.io, https://HOST/api/v3 for containers.HOST, "
        "https://api.NAME.ghe.com for containers.NAME.ghe.com.",
    ),
    Setting(
        "github_web",
        "GHCRCTL_GITHUB_WEB",
        ADDRESS,
        None,
        "URL of GitHub's website, if it cannot be derived from the registry.",
    ),
    Setting(
        "github_rate",
        "GHCRCTL_GITHUB_RATE",
        whole(0, 1_000_000),
        900,
        "Points that requests to GitHub's REST API may cost per minute. A read costs 1, a write "
        "5. 0 means no limit, as on an Enterprise Server without rate limits.",
    ),
    Setting(
        "keyring",
        "GHCRCTL_KEYRING",
        SWITCH,
        default=True,
        help="Store and find credentials in the system's keyring.",
    ),
    Setting(
        "human",
        "GHCRCTL_HUMAN",
        SWITCH,
        default=True,
        help="Print human-readable sizes and times in listings; otherwise bytes and RFC 3339. "
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

# Variables without a setting, because they apply to one run or locate the settings.
VARIABLES = {
    "GHCRCTL_CACHE_DIR": "Directory for cached downloads.",
    "GHCRCTL_CONFIG_DIR": "Directory of config.toml and stored credentials.",
    "GHCRCTL_DEST_PASSWORD": "Password for --dest-creds.",
    "GHCRCTL_REGISTRY": "Registry for GHCRCTL_TOKEN; ghcr.io by default.",
    "GHCRCTL_SRC_PASSWORD": "Password for --src-creds.",
    "GHCRCTL_TOKEN": "Password or token for GHCRCTL_REGISTRY.",
    "GHCRCTL_USERNAME": "User name for GHCRCTL_TOKEN.",
}
