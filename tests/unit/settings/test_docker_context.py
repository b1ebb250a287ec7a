"""The engines of docker's contexts."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from ghcrctl.archive.engine import Engine
from ghcrctl.errors import InvalidSettingError, UnsupportedError
from ghcrctl.settings import Settings

DESKTOP = "unix:///me/.docker/desktop/docker.sock"


class Client:
    """A user's configuration of docker's client."""

    def __init__(self, home: Path) -> None:
        self.folder = home / ".docker"
        self.folder.mkdir()
        self.environ = {"HOME": str(home)}

    def context(self, name: str, endpoints: Any = None, **docker: Any) -> Path:
        """Write a context, and return its directory of certificates."""
        identity = hashlib.sha256(name.encode()).hexdigest()
        data = {"Name": name, "Metadata": {}, "Endpoints": endpoints or {"docker": docker}}
        self.meta(name, json.dumps(data))
        return self.folder / "contexts" / "tls" / identity / "docker"

    def meta(self, name: str, text: str) -> Path:
        identity = hashlib.sha256(name.encode()).hexdigest()
        path = self.folder / "contexts" / "meta" / identity / "meta.json"
        path.parent.mkdir(parents=True)
        path.write_text(text)
        return path

    def configure(self, text: str) -> Path:
        path = self.folder / "config.json"
        path.write_text(text)
        return path

    def engine(self, **environ: str) -> tuple[str | None, Path | None]:
        return Settings({**self.environ, **environ}).docker_engine


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(tmp_path)


def test_the_environment_takes_precedence_over_the_context(client: Client) -> None:
    client.context("desktop-linux", Host=DESKTOP)
    client.context("box", Host="tcp://box:2376")
    assert client.engine() == (None, None)
    client.configure('{"currentContext": "desktop-linux"}')
    assert client.engine() == (DESKTOP, None)
    assert client.engine(DOCKER_CONTEXT="box") == ("tcp://box:2376", None)
    assert client.engine(DOCKER_CONTEXT="") == (DESKTOP, None)
    assert client.engine(DOCKER_CONTEXT="default") == (None, None)
    assert client.engine(DOCKER_HOST="unix:///x", DOCKER_CONTEXT="box") == ("unix:///x", None)
    assert client.engine(DOCKER_HOST="unix:///x", DOCKER_CONTEXT="none") == ("unix:///x", None)
    client.configure('{"currentContext": "default"}')
    assert client.engine() == (None, None)


def test_contexts_are_where_dockers_configuration_is(client: Client, tmp_path: Path) -> None:
    client.context("box", Host="tcp://box:2376")
    client.configure('{"currentContext": "box"}')
    client.folder.rename(tmp_path / "elsewhere")
    assert client.engine() == (None, None)
    assert client.engine(DOCKER_CONFIG=str(tmp_path / "elsewhere")) == ("tcp://box:2376", None)


def test_a_context_has_its_own_certificates(client: Client) -> None:
    folder = client.context("box", Host="tcp://box:2376")
    tls = {"DOCKER_CONTEXT": "box", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/certs"}
    assert client.engine(**tls) == ("tcp://box:2376", None)
    folder.mkdir(parents=True)
    assert client.engine(**tls) == ("tcp://box:2376", None)
    (folder / "ca.pem").touch()
    assert client.engine(**tls) == ("tcp://box:2376", folder)
    assert client.engine(DOCKER_TLS_VERIFY="1", DOCKER_CERT_PATH="/certs") == (None, Path("/certs"))


@pytest.mark.parametrize("host", [None, "", 5])
def test_a_context_without_an_address_is_for_the_usual_socket(client: Client, host: Any) -> None:
    client.context("plain", Host=host)
    assert client.engine(DOCKER_CONTEXT="plain") == (None, None)


@pytest.mark.parametrize("config", ["", "{}", '{"currentContext": ""}', '{"currentContext": 1}'])
def test_without_a_current_context_the_usual_socket_is_used(client: Client, config: str) -> None:
    client.configure(config)
    assert client.engine() == (None, None)


@pytest.mark.parametrize("name", ["gone", "../../etc", "a\0b", "\udcff", "x" * 5000])
def test_a_context_that_is_missing_is_named(client: Client, name: str) -> None:
    with pytest.raises(InvalidSettingError, match="cannot find the docker context") as caught:
        client.engine(DOCKER_CONTEXT=name)
    assert "docker context ls" in (caught.value.hint or "")
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("text", ["{", "[]", "null", "\xff", "[" * 100_000])
def test_damaged_files_are_named(client: Client, text: str) -> None:
    meta = client.meta("box", text)
    with pytest.raises(InvalidSettingError, match="cannot read") as caught:
        client.engine(DOCKER_CONTEXT="box")
    assert str(meta) in str(caught.value)
    config = client.configure(text)
    with pytest.raises(InvalidSettingError, match="cannot read") as caught:
        client.engine()
    assert str(config) in str(caught.value)
    assert "DOCKER_HOST" in (caught.value.hint or "")
    assert client.engine(DOCKER_HOST="unix:///x") == ("unix:///x", None)


def test_a_file_that_cannot_be_opened_is_named(client: Client) -> None:
    (client.folder / "config.json").mkdir()
    with pytest.raises(InvalidSettingError, match=r"config\.json: Is a directory"):
        client.engine()


@pytest.mark.parametrize("endpoints", [{"kubernetes": {"Host": "x"}}, {"docker": "x"}, ["docker"]])
def test_a_context_without_an_engine_is_refused(client: Client, endpoints: Any) -> None:
    client.context("cluster", endpoints)
    with pytest.raises(UnsupportedError, match="context `cluster`: it has no docker engine"):
        client.engine(DOCKER_CONTEXT="cluster")


def test_an_engine_that_the_context_does_not_verify_is_refused(client: Client) -> None:
    client.context("lax", Host="tcp://box:2376", SkipTLSVerify=True)
    with pytest.raises(
        UnsupportedError, match="does not verify its engine's certificate"
    ) as caught:
        client.engine(DOCKER_CONTEXT="lax")
    assert "docker context update lax" in (caught.value.hint or "")
    client.context("local", Host=DESKTOP, SkipTLSVerify=True)
    assert client.engine(DOCKER_CONTEXT="local") == (DESKTOP, None)


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        ("ssh://me@box", "over ssh://"),
        ("npipe:////./pipe/dockerDesktopLinuxEngine", "Windows pipe"),
    ],
)
def test_an_engine_that_only_docker_reaches_is_refused(
    client: Client, host: str, reason: str
) -> None:
    client.context("far", Host=host)
    with pytest.raises(UnsupportedError, match=reason) as caught:
        Engine(*client.engine(DOCKER_CONTEXT="far"))
    assert "DOCKER_HOST" in (caught.value.hint or "")
