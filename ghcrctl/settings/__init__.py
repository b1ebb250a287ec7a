"""Settings: the only reader of the environment, of config files and of user directories.

What belongs here: where settings come from, what this machine is. What does not: which settings
there are (``table``). Order: flags, then the environment, then ``config.toml``, then defaults.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from ghcrctl.errors import InvalidSettingError, UnsupportedError, UsageError
from ghcrctl.oci.machine import machine_name
from ghcrctl.oci.platform import Platform, machine_platform
from ghcrctl.settings.setting_table import SETTINGS, Setting
from ghcrctl.settings.toml_file import read_toml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ghcrctl.registry.insecure_hosts import InsecureHosts
    from ghcrctl.registry.routes import Routes

__all__ = ["SETTINGS", "Settings", "host_platform", "read_toml"]

# Jenkins and Azure Pipelines do not set CI, as all others do.
_JOB_MARKS = ("GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL", "TF_BUILD")
_BY_NAME = {setting.name: setting for setting in SETTINGS}


class Settings:
    """The settings of one run.

    Args:
        environ: the environment.
        flags: values given on the command line, by setting name; ``None`` counts as not given.
        config_dir: where ``config.toml`` is, if not where the environment says.
    """

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        flags: Mapping[str, object] | None = None,
        *,
        config_dir: Path | None = None,
    ) -> None:
        self.environ = os.environ if environ is None else environ
        # As it is given, since flags may still come.
        self.flags = {} if flags is None else flags
        self._config_dir = config_dir

    def get(self, name: str) -> Any:
        """Return a setting's value.

        Raises:
            InvalidSettingError: what was given for it cannot be used.
        """
        setting = _BY_NAME[name]
        flag = self.flags.get(name)
        if flag is not None:
            option = f"--{name.replace('_', '-')}"
            return _read(setting, setting.kind.parse, flag, option, error=UsageError)
        if given := self.environ.get(setting.env):
            return _read(setting, setting.kind.parse, given, setting.env)
        if name in self._file:
            where = f"`{name}` in {self.config_file}"
            return _read(setting, setting.kind.parse_toml, self._file[name], where)
        return setting.default

    def check(self) -> list[str]:
        """Check all variables and keys of ``config.toml``.

        Returns:
            Warnings about unknown variables.

        Raises:
            InvalidSettingError: a value is invalid.
        """
        from ghcrctl.settings.check_settings import check_settings

        return check_settings(self)

    @cached_property
    def home(self) -> Path:
        """The user's home directory.

        On Windows, docker and git for Windows disagree about HOME; docker's files are in the
        user's profile.
        """
        variable = "USERPROFILE" if sys.platform == "win32" else "HOME"
        return Path(self.environ.get(variable) or Path.home())

    @cached_property
    def credential_environ(self) -> Mapping[str, str]:
        """The environment for credentials, with the setting of the keyring in its variable."""
        return {**self.environ, "GHCRCTL_KEYRING": "1" if self.get("keyring") else "0"}

    @cached_property
    def config_dir(self) -> Path:
        """Where ``config.toml`` and stored credentials are."""
        given = self._config_dir or self.environ.get("GHCRCTL_CONFIG_DIR")
        return Path(given) if given else self._own("XDG_CONFIG_HOME", platformdirs.user_config_path)

    @property
    def config_file(self) -> Path:
        """The file of settings."""
        return self.config_dir / "config.toml"

    @cached_property
    def store_dir(self) -> Path:
        """Where the image store is."""
        given: Path | None = self.get("store")
        return given or self._own("XDG_DATA_HOME", platformdirs.user_data_path) / "store"

    @cached_property
    def cache_dir(self) -> Path:
        """Where is kept what can be got again."""
        given = self.environ.get("GHCRCTL_CACHE_DIR")
        return Path(given) if given else self._own("XDG_CACHE_HOME", platformdirs.user_cache_path)

    @cached_property
    def journal_dir(self) -> Path:
        """Where is kept what was deleted on GitHub, so that it can be undone."""
        return self._own("XDG_STATE_HOME", platformdirs.user_state_path) / "deletions"

    def _own(self, variable: str, usual: Callable[..., Path]) -> Path:
        """Return our directory: where a variable says on every system, or where is usual.

        A relative path in the variable is ignored, as the XDG Base Directory Specification says.
        """
        given = Path(self.environ.get(variable, ""))
        return given / "ghcrctl" if given.is_absolute() else usual("ghcrctl", appauthor=False)

    @cached_property
    def platform(self) -> Platform:
        """The platform to choose: the user's choice, else Linux on this processor.

        Raises:
            UnsupportedError: nothing is chosen, and images have no name for the processor.
        """
        given: Platform | None = self.get("platform")
        if given:
            return given
        docker = self.environ.get("DOCKER_DEFAULT_PLATFORM")
        return Platform.parse(docker) if docker else host_platform()

    @cached_property
    def preferred_platform(self) -> Platform:
        """The platform to prefer among several; on an unknown processor, one that no image has."""
        try:
            return self.platform
        except UnsupportedError:
            return Platform("linux", machine_name(os.environ) or "unknown")

    @property
    def is_job(self) -> bool:
        """Whether this runs in a job of continuous integration, and may behave so."""
        if not self.get("ci"):
            return False
        ci = self.environ.get("CI", "").lower() not in {"", "0", "false"}
        return ci or any(self.environ.get(name) for name in _JOB_MARKS)

    @property
    def source_date(self) -> datetime | None:
        """The time that new images get where builds are reproducible (SOURCE_DATE_EPOCH).

        Raises:
            UsageError: it is no number of seconds since 1970.
        """
        epoch = self.environ.get("SOURCE_DATE_EPOCH")
        if not epoch:
            return None
        try:
            return datetime.fromtimestamp(int(epoch), timezone.utc)
        except (ValueError, OverflowError, OSError):
            raise UsageError(f"SOURCE_DATE_EPOCH is no number of seconds: {epoch}") from None

    @property
    def docker_engine(self) -> tuple[str | None, Path | None]:
        """Where docker's engine is, and the directory of its certificates where TLS is wanted.

        Source: Docker's documentation, "docker", environment variables: DOCKER_HOST, then
        DOCKER_CONTEXT and the current context; DOCKER_TLS_VERIFY, which counts whatever is in it,
        and DOCKER_CERT_PATH are for an engine that no context names.

        Raises:
            InvalidSettingError: the context in use is missing or damaged.
            UnsupportedError: the context names no engine that can be used.
        """
        from ghcrctl.settings.docker_context import DockerContext
        from ghcrctl.settings.docker_files import client_folder

        usual = client_folder(self.environ, self.home)
        context = DockerContext.current(self.environ, usual)
        if context:
            return context.endpoint
        folder = Path(self.environ.get("DOCKER_CERT_PATH") or usual)
        verified = bool(self.environ.get("DOCKER_TLS_VERIFY"))
        return self.environ.get("DOCKER_HOST") or None, folder if verified else None

    @cached_property
    def routes(self) -> Routes:
        """The rules that decide which registry serves a reference.

        Raises:
            InvalidSettingError: a file of rules is invalid.
        """
        from ghcrctl.settings.registry_files import read_routes

        return read_routes(self)

    @cached_property
    def insecure_hosts(self) -> InsecureHosts:
        """The registries that our settings and docker list as insecure."""
        from ghcrctl.registry.insecure_hosts import InsecureHosts, of_docker
        from ghcrctl.settings.registry_files import docker_files

        ours = self.get("insecure_registries")
        return InsecureHosts.parse([*ours, *of_docker(docker_files(self))])

    @cached_property
    def _file(self) -> Mapping[str, object]:
        try:
            raw = self.config_file.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            raise InvalidSettingError(f"cannot read {self.config_file}: {error.strerror}") from None
        data = read_toml(raw, self.config_file)
        unknown = sorted(set(data) - set(_BY_NAME))
        if unknown:
            known = ", ".join(sorted(_BY_NAME))
            raise InvalidSettingError(
                f"unknown setting `{unknown[0]}` in {self.config_file}",
                hint=f"the settings are {known}",
            )
        return data


def host_platform() -> Platform:
    """Return Linux on this machine's processor, as docker does on every system.

    Raises:
        UnsupportedError: images have no name for the processor.
    """
    return machine_platform(machine_name(os.environ))


def _read(
    setting: Setting,
    parse: Callable[[Any], object],
    value: object,
    where: str,
    *,
    error: type[UsageError] = InvalidSettingError,
) -> object:
    try:
        return parse(value)
    except (ValueError, UsageError) as reason:
        # The message about a platform also names the platform.
        why = str(reason).partition(": ")[2] if isinstance(reason, UsageError) else reason
        raise error(
            f"invalid {where} `{value}`: {why}", hint=f"{setting.name}: {setting.help}"
        ) from None
