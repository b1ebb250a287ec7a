"""Settings from flags, the environment, ``config.toml`` and defaults, in this order.

Only this package reads the environment, configuration files and user directories.
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
from ghcrctl.oci.host_processor import machine_name
from ghcrctl.oci.platform import Platform, machine_platform
from ghcrctl.settings.setting_table import SETTINGS, Setting
from ghcrctl.settings.toml_file import read_toml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ghcrctl.registry.insecure_hosts import InsecureHosts
    from ghcrctl.registry.registry_rules import Routes

__all__ = ["SETTINGS", "Settings", "host_platform", "read_toml"]

# Jenkins and Azure Pipelines do not set CI, unlike all others.
_JOB_MARKS = ("GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL", "TF_BUILD")
_BY_NAME = {setting.name: setting for setting in SETTINGS}


class Settings:
    """The settings of one run.

    Args:
        environ: the environment.
        flags: values from the command line, by setting name; ``None`` means not given.
        config_dir: the directory of ``config.toml``, if not the one in the environment.
    """

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        flags: Mapping[str, object] | None = None,
        *,
        config_dir: Path | None = None,
    ) -> None:
        self.environ = os.environ if environ is None else environ
        # Not copied, since flags may be added later.
        self.flags = {} if flags is None else flags
        self._config_dir = config_dir

    def get(self, name: str) -> Any:
        """Return the value of a setting.

        Raises:
            InvalidSettingError: the given value is invalid.
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

        On Windows, docker and Git for Windows disagree about HOME; docker uses the user's profile.
        """
        variable = "USERPROFILE" if sys.platform == "win32" else "HOME"
        return Path(self.environ.get(variable) or Path.home())

    @cached_property
    def credential_environ(self) -> Mapping[str, str]:
        """The environment for credentials, including the keyring setting as a variable."""
        return {**self.environ, "GHCRCTL_KEYRING": "1" if self.get("keyring") else "0"}

    @cached_property
    def config_dir(self) -> Path:
        """The directory of ``config.toml`` and stored credentials."""
        given = self._config_dir or self.environ.get("GHCRCTL_CONFIG_DIR")
        return Path(given) if given else self._own("XDG_CONFIG_HOME", platformdirs.user_config_path)

    @property
    def config_file(self) -> Path:
        """The path of ``config.toml``."""
        return self.config_dir / "config.toml"

    @cached_property
    def store_dir(self) -> Path:
        """The directory of the image store."""
        given: Path | None = self.get("store")
        return given or self._own("XDG_DATA_HOME", platformdirs.user_data_path) / "store"

    @cached_property
    def cache_dir(self) -> Path:
        """The directory of caches."""
        given = self.environ.get("GHCRCTL_CACHE_DIR")
        return Path(given) if given else self._own("XDG_CACHE_HOME", platformdirs.user_cache_path)

    @cached_property
    def journal_dir(self) -> Path:
        """The directory of journals of deletions on GitHub, which are used to undo them."""
        return self._own("XDG_STATE_HOME", platformdirs.user_state_path) / "deletions"

    def _own(self, variable: str, default: Callable[..., Path]) -> Path:
        """Return ghcrctl's directory below an XDG variable, if set, or below the system's default.

        A relative path is ignored, as required by the XDG Base Directory Specification.
        """
        given = Path(self.environ.get(variable, ""))
        return given / "ghcrctl" if given.is_absolute() else default("ghcrctl", appauthor=False)

    @cached_property
    def platform(self) -> Platform:
        """The platform to pull: the user's choice, or else Linux on this machine's processor.

        Raises:
            UnsupportedError: nothing is chosen, and there is no architecture for the processor.
        """
        given: Platform | None = self.get("platform")
        if given:
            return given
        docker = self.environ.get("DOCKER_DEFAULT_PLATFORM")
        return Platform.parse(docker) if docker else host_platform()

    @cached_property
    def preferred_platform(self) -> Platform:
        """The platform to prefer in lists; on an unknown processor, one that matches no image."""
        try:
            return self.platform
        except UnsupportedError:
            return Platform("linux", machine_name(os.environ) or "unknown")

    @property
    def is_job(self) -> bool:
        """Whether this is a CI job, and CI behavior is enabled."""
        if not self.get("ci"):
            return False
        ci = self.environ.get("CI", "").lower() not in {"", "0", "false"}
        return ci or any(self.environ.get(name) for name in _JOB_MARKS)

    @property
    def source_date(self) -> datetime | None:
        """The creation time of new images in reproducible builds (SOURCE_DATE_EPOCH).

        Raises:
            UsageError: the variable is not a number of seconds since 1970.
        """
        epoch = self.environ.get("SOURCE_DATE_EPOCH")
        if not epoch:
            return None
        try:
            return datetime.fromtimestamp(int(epoch), timezone.utc)
        except (ValueError, OverflowError, OSError):
            raise UsageError(
                f"invalid SOURCE_DATE_EPOCH `{epoch}`: expected a number of seconds"
            ) from None

    @property
    def docker_engine(self) -> tuple[str | None, Path | None]:
        """The address of the docker engine, and the directory of its certificates for TLS.

        Source: Docker's documentation, "docker", environment variables. DOCKER_HOST takes
        precedence over DOCKER_CONTEXT and the current context. DOCKER_TLS_VERIFY (set to any
        value) and DOCKER_CERT_PATH apply if no context is used.

        Raises:
            InvalidSettingError: the context in use is missing or damaged.
            UnsupportedError: the context's engine cannot be used.
        """
        from ghcrctl.settings.docker_context import DockerContext
        from ghcrctl.settings.docker_files import client_folder

        client = client_folder(self.environ, self.home)
        context = DockerContext.current(self.environ, client)
        if context:
            return context.endpoint
        folder = Path(self.environ.get("DOCKER_CERT_PATH") or client)
        verified = bool(self.environ.get("DOCKER_TLS_VERIFY"))
        return self.environ.get("DOCKER_HOST") or None, folder if verified else None

    @cached_property
    def routes(self) -> Routes:
        """The rules that decide which registry serves a reference.

        Raises:
            InvalidSettingError: a configuration file is invalid.
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
                hint=f"use one of: {known}",
            )
        return data


def host_platform() -> Platform:
    """Return Linux on this machine's processor, docker's default on every system.

    Raises:
        UnsupportedError: there is no architecture for the processor.
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
        # The message for a platform starts with the platform, which is already part of ours.
        why = str(reason).partition(": ")[2] if isinstance(reason, UsageError) else reason
        raise error(
            f"invalid {where} `{value}`: {why}", hint=f"{setting.name}: {setting.help}"
        ) from None
