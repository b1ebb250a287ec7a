"""Environment variables and files of ghcrctl and other tools that ghcrctl reads or writes."""

from __future__ import annotations

from ghcrctl.settings import SETTINGS
from ghcrctl.settings.setting_table import VARIABLES

# Variables of other tools, by purpose. An entry may list several, separated by commas.
OTHER_VARIABLES: dict[str, dict[str, str]] = {
    "Credentials": {
        "GITHUB_TOKEN, GH_TOKEN": "Token for GitHub's registry and API, in a job or for `gh`.",
        "GH_ENTERPRISE_TOKEN, GITHUB_ENTERPRISE_TOKEN": "The same for GitHub Enterprise Server.",
        "GITHUB_ACTOR": "User name for that token.",
        "GITHUB_SERVER_URL, GH_HOST": "GitHub that the token belongs to; github.com by default.",
        "DOCKER_CONFIG": "Directory of docker's `config.json` and contexts.",
        "DOCKER_AUTH_CONFIG": "Content of a docker `config.json`, as in GitLab jobs.",
        "REGISTRY_AUTH_FILE": "Credential file of podman and skopeo.",
        "PYTHON_KEYRING_BACKEND": "Keyring backend to use.",
        "DBUS_SESSION_BUS_ADDRESS": "Session bus of the keyring, on Linux.",
    },
    "Network": {
        "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY": "Proxies, in upper or lower case.",
        "NO_PROXY": "Hosts, domains and networks to reach without a proxy.",
        "CONTAINERS_REGISTRIES_CONF, REGISTRIES_CONFIG_PATH": (
            "File to read instead of `registries.conf`."
        ),
    },
    "Docker engine and builds": {
        "DOCKER_HOST, DOCKER_CONTEXT": "Engine for `docker-daemon:` names.",
        "DOCKER_TLS_VERIFY, DOCKER_CERT_PATH": "TLS for that engine.",
        "DOCKER_DEFAULT_PLATFORM": "Platform to choose, if `GHCRCTL_PLATFORM` is not set.",
        "DOCKER_BUILDKIT": "Set by ghcrctl for `docker build`.",
        "BUILDAH_LAYERS": "Whether buildah keeps intermediate layers.",
        "SOURCE_DATE_EPOCH": (
            "Creation time of new images, in seconds since 1970, for reproducible builds."
        ),
    },
    "CI": {
        "CI, GITHUB_ACTIONS, GITLAB_CI, JENKINS_URL, TF_BUILD": (
            "Mark a job: no progress bars are drawn."
        ),
        "GITHUB_OUTPUT, GITHUB_STEP_SUMMARY": "Files for outputs and summary of a step (written).",
        "GITHUB_REPOSITORY_OWNER": "Owner whose packages the job's token may write.",
    },
    "Terminal": {
        "NO_COLOR": "Print no colours and no links.",
        "FORCE_COLOR, CLICOLOR_FORCE": "Print colours to files and pipes, too.",
        "CLICOLOR": "`0` prints no colours.",
        "FORCE_HYPERLINK": "`1` prints links, `0` prints none.",
        "COLUMNS": "Width of the output.",
        "TERM, COLORTERM, TERM_PROGRAM, TMUX, VTE_VERSION, KONSOLE_VERSION, KITTY_WINDOW_ID, "
        "WT_SESSION, XTERM_VERSION": "Show what the terminal supports.",
        "BROWSER": "Browser for `packages doctor --open`.",
    },
    "Directories": {
        "HOME, USERPROFILE": "Your home directory; the second one on Windows.",
        "TMPDIR, TEMP, TMP": "Directory for temporary files.",
        "XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_CACHE_HOME, XDG_STATE_HOME": (
            "Base directories, on every system; relative paths are ignored."
        ),
        "XDG_RUNTIME_DIR": "Directory of podman's `containers/auth.json`.",
        "PROGRAMDATA": "Directory of docker's configuration on Windows.",
        "BASH_COMPLETION_USER_DIR": "Directory for bash completion.",
        "PATH": "Programs that ghcrctl runs; relative entries are ignored.",
        "PROCESSOR_ARCHITECTURE, PROCESSOR_ARCHITEW6432": "Processor, on Windows.",
    },
}

_CONFIG = ("~/.config/ghcrctl", "~/Library/Application Support/ghcrctl", "%LOCALAPPDATA%\\ghcrctl")
# Purpose, and path on Linux, macOS and Windows.
OWN_FILES = (
    (
        "images (`GHCRCTL_STORE`)",
        "~/.local/share/ghcrctl/store",
        "~/Library/Application Support/ghcrctl/store",
        "%LOCALAPPDATA%\\ghcrctl\\store",
    ),
    ("configuration directory (`GHCRCTL_CONFIG_DIR`)", *_CONFIG),
    (
        "journals of deletions on GitHub",
        "~/.local/state/ghcrctl/deletions",
        "~/Library/Application Support/ghcrctl/deletions",
        "%LOCALAPPDATA%\\ghcrctl\\deletions",
    ),
    (
        "cache (`GHCRCTL_CACHE_DIR`)",
        "~/.cache/ghcrctl",
        "~/Library/Caches/ghcrctl",
        "%LOCALAPPDATA%\\ghcrctl\\Cache",
    ),
    ("libraries of the single file (`SHIV_ROOT`)", "~/.shiv", "~/.shiv", "%USERPROFILE%\\.shiv"),
)

_CONFIG_FILES = {
    "config.toml": "Settings.",
    "auth.json": "Credentials, and the list of registries that have one in the keyring.",
    "certs.d/HOST/": "Certificates for one registry.",
}

_PROJECT_FILES = {
    "images.lock": "Pinned images of a project; `--file` names another file.",
    "sync.yaml, sync.toml": "Any name, given with `sync --file`.",
    "policy.yaml, policy.toml": "Any name, given with `packages prune --policy`.",
    "plan.json": "Any name, written by `packages prune --plan`.",
    "plan.json.journal": "Written by `packages apply`, read by `packages restore --run`.",
}

_READ_FILES = {
    "~/.docker/config.json": "Credentials, credential helpers, the current context.",
    "~/.docker/contexts": "The engine of a context.",
    "~/.docker/daemon.json, ~/.config/docker/daemon.json, /etc/docker/daemon.json": (
        "Registry mirrors, insecure registries."
    ),
    "$XDG_RUNTIME_DIR/containers/auth.json, ~/.config/containers/auth.json": "Credentials.",
    "~/.config/containers/registries.conf, /etc/containers/registries.conf": (
        "Mirrors, locations, blocked and insecure registries; also `registries.conf.d`."
    ),
    "~/.config/containers/certs.d, ~/.docker/certs.d, ~/.config/docker/certs.d, "
    "/etc/containers/certs.d, /etc/docker/certs.d": "Certificates for single registries.",
}

_COMPLETION_FILES = {
    "bash": "~/.local/share/bash-completion/completions/ghcrctl",
    "zsh": "~/.local/share/zsh/site-functions/_ghcrctl",
    "fish": "~/.config/fish/completions/ghcrctl.fish",
    "powershell": "~/.config/powershell/ghcrctl.ps1",
}


def variables_and_files() -> str:
    """Return the page of all variables and files."""
    return "\n".join(
        (
            "# Variables and files\n",
            "Everything outside the command line that ghcrctl reads or writes. `ghcrctl info` "
            "prints the store and the settings file that are used.\n",
            "## Variables of ghcrctl\n",
            "[Settings](settings.md) lists values and defaults, and the keys of `config.toml`.\n",
            _own_variables(),
            *(_other_variables(*group) for group in OTHER_VARIABLES.items()),
            "## Files of ghcrctl\n",
            _own_files(),
            "In the configuration directory:\n",
            _table(("file", "what it is"), _CONFIG_FILES),
            "In a project:\n",
            _table(("file", "what it is"), _PROJECT_FILES),
            "## Files of other tools\n",
            "These are only read. On Windows, docker's system files are in "
            "`%ProgramData%\\docker`, and nothing below `/etc` is read.\n",
            _table(("file", "what is read from it"), _READ_FILES),
            "The certificates that your operating system trusts are used as well.\n",
            "## Completion scripts\n",
            "`ghcrctl completion --install` writes one of these:\n",
            _table(("shell", "file"), {k: f"`{v}`" for k, v in _COMPLETION_FILES.items()}, code=""),
        )
    )


def _own_variables() -> str:
    rows = {setting.env: _first_sentence(setting.help) for setting in SETTINGS}
    return _table(("variable", "what it sets"), {**rows, **VARIABLES})


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].partition("; ")[0].rstrip(".") + "."


def _other_variables(purpose: str, variables: dict[str, str]) -> str:
    return f"## {purpose}\n\n" + _table(("variable", "what it does"), variables)


def _own_files() -> str:
    rows = "".join(
        f"| {what} | {' | '.join(f'`{path}`' for path in paths)} |\n" for what, *paths in OWN_FILES
    )
    return f"| what | Linux | macOS | Windows |\n|---|---|---|---|\n{rows}"


def _table(heads: tuple[str, str], rows: dict[str, str], code: str = "`") -> str:
    """Return a table whose first column holds names, each in code style."""
    lines = [
        f"| {', '.join(f'{code}{name}{code}' for name in names.split(', '))} | {text} |\n"
        for names, text in rows.items()
    ]
    return f"| {heads[0]} | {heads[1]} |\n|---|---|\n{''.join(lines)}"
