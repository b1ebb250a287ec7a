"""The client: settings, sessions, threads."""

from __future__ import annotations

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import ghcrctl
from ghcrctl import Client, NetworkError, Platform, Reference, UsageError
from ghcrctl.errors import ConnectionFailedError, ProxyError
from tests.builders import index_of, random_image

if TYPE_CHECKING:
    from tests.registry_double import PlainRegistry, RegistryDouble

IMAGE = random_image()


@pytest.fixture
def private(ghcr: RegistryDouble, environ: dict[str, str]) -> str:
    """A private image with a token in the environment."""
    ghcr.push_image("octo/image", "1.0", IMAGE)
    environ |= {"GHCRCTL_REGISTRY": ghcr.host, "GHCRCTL_TOKEN": "ghp_octo"}
    return f"{ghcr.host}/octo/image:1.0"


def test_calls_within_a_block_share_a_session(
    environ: dict[str, str], ghcr: RegistryDouble, private: str
) -> None:
    with Client(environ=environ) as client:
        assert client.digest(private) == client.digest(private) == IMAGE.root.digest
    assert ghcr.count("GET", "/token") == 1


def test_calls_of_a_client_that_is_not_open_have_one_each(
    environ: dict[str, str], ghcr: RegistryDouble, private: str
) -> None:
    client = Client(environ=environ)
    assert client.digest(private) == client.digest(private)
    assert ghcr.count("GET", "/token") == 2
    with client:
        client.digest(private)
    assert client.digest(private) == IMAGE.root.digest
    assert ghcr.count("GET", "/token") == 4


def test_arguments_override_the_environment(
    tmp_path: Path, environ: dict[str, str], plain_registry: PlainRegistry
) -> None:
    environ |= {"GHCRCTL_DEFAULT_REGISTRY": "nowhere.test", "GHCRCTL_JOBS": "none at all"}
    plain_registry.push_image("octo/image", "1.0", index_of(IMAGE))
    client = Client(
        environ=environ,
        store=tmp_path / "elsewhere",
        default_registry=plain_registry.host,
        jobs=1,
        platform=Platform("linux", "amd64"),
    )
    client.pull("octo/image:1.0")
    assert (tmp_path / "elsewhere" / "index.json").exists()
    assert not Path(environ["GHCRCTL_STORE"]).exists()


def test_proxies_and_time_outs_are_those_of_the_client(environ: dict[str, str]) -> None:
    environ |= {"HTTPS_PROXY": "http://127.0.0.1:9", "GHCRCTL_CONNECT_TIMEOUT": "never"}
    with Client(environ=environ, connect_timeout=2, retries=0) as client:
        with pytest.raises(ProxyError, match="HTTPS_PROXY"):
            client.digest("ghcr.io/octo/image:1.0")
        with pytest.raises(ProxyError, match=r"api\.github\.com"):
            client.packages.list("octo")
    environ["NO_PROXY"] = "ghcr.io"
    with pytest.raises(ConnectionFailedError, match="cannot resolve the host name"):
        Client(environ=environ, connect_timeout=2, retries=0).digest("ghcr.io/octo/image:1.0")


def test_settings_are_read_from_the_directory_that_is_given(
    tmp_path: Path, environ: dict[str, str], plain_registry: PlainRegistry
) -> None:
    plain_registry.push_image("octo/image", "1.0", IMAGE)
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "config.toml").write_text(f'default_registry = "{plain_registry.host}"\n')
    client = Client(environ=environ, config_dir=folder)
    assert client.digest("octo/image:1.0") == IMAGE.root.digest


def test_any_setting_can_be_given_by_name(
    environ: dict[str, str], plain_registry: PlainRegistry
) -> None:
    plain_registry.push_image("octo/image", "1.0", IMAGE)
    mirrors = {"nowhere.test": [plain_registry.host]}
    with Client(environ=environ, settings={"mirrors": mirrors}) as client:
        assert client.pull("nowhere.test/octo/image:1.0").digest == IMAGE.root.digest


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown setting `mirror`"):
        Client(settings={"mirror": "x"})


def test_an_invalid_value_is_reported_on_use(environ: dict[str, str]) -> None:
    client = Client(environ=environ, jobs=0)
    with pytest.raises(UsageError, match="expected a number from 1 to 1000"):
        client.pull("localhost:1/octo/image")


def test_warnings_and_requests_are_passed_on(environ: dict[str, str], private: str) -> None:
    warnings: list[str] = []
    requests: list[str] = []
    with Client(environ=environ, warn=warnings.append, debug=requests.append) as client:
        client.digest(private)
        client.exists("ghcr.io/OCTO/image", local=True)
    assert any("GET" in line or "HEAD" in line for line in requests)
    assert "ghp_octo" not in "".join(requests)
    assert any("lower case" in text for text in warnings)


def test_threads_may_share_a_client(
    environ: dict[str, str], plain_registry: PlainRegistry, repository: str
) -> None:
    images = {f"v{number}": random_image(seed=number) for number in range(6)}
    for tag, image in images.items():
        plain_registry.push_image("octo/image", tag, image)
    start = threading.Barrier(len(images))

    def pull(tag: str) -> str:
        start.wait()
        return str(client.pull(f"{repository}:{tag}").digest)

    with Client(environ=environ) as client, ThreadPoolExecutor(len(images)) as pool:
        found = list(pool.map(pull, images))
        assert found == [str(image.root.digest) for image in images.values()]
        assert {row.tag for row in client.images()} == set(images)
        assert not client.fsck().faults


def test_a_client_is_open_once_at_a_time(environ: dict[str, str]) -> None:
    client = Client(environ=environ)
    with client, pytest.raises(RuntimeError, match="already open"):
        client.__enter__()
    with client:
        assert client.images() == []


def test_the_next_call_may_remove_protected_content(
    environ: dict[str, str], plain_registry: PlainRegistry, repository: str
) -> None:
    plain_registry.push_image("octo/image", "1.0", IMAGE)
    with Client(environ=environ) as client:
        client.pull(f"{repository}:1.0")
        assert IMAGE.root.digest in client.rmi(f"{repository}:1.0").deleted
        assert client.pull(f"{repository}:1.0").updated
        assert not client.fsck().faults
    assert list((Path(environ["GHCRCTL_STORE"]) / "ghcrctl" / "leases").iterdir()) == []


def test_results_and_errors_can_be_sent_to_another_process(
    environ: dict[str, str], plain_registry: PlainRegistry, repository: str
) -> None:
    plain_registry.push_image("octo/image", "1.0", IMAGE)
    with Client(environ=environ) as client:
        attempts = client.pull_several([f"{repository}:1.0", f"{repository}:9"])
        results = [client.images(), client.df(), client.manifest.inspect(f"{repository}:1.0")]
    assert pickle.loads(pickle.dumps(results)) == results
    good, bad = pickle.loads(pickle.dumps(attempts))
    assert good == attempts[0]
    assert (bad.error.code, bad.error.hint) == (
        "manifest-unknown",
        getattr(attempts[1].error, "hint", ""),
    )


def test_functions_of_the_package_take_settings_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], plain_registry: PlainRegistry
) -> None:
    plain_registry.push_image("octo/image", "latest", IMAGE)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GHCRCTL_DEFAULT_REGISTRY", plain_registry.host)
    assert ghcrctl.pull(Reference(plain_registry.host, "octo/image")).updated
    assert [row.tag for row in ghcrctl.images()] == ["latest"]
    monkeypatch.setenv("GHCRCTL_DEFAULT_REGISTRY", "127.0.0.1:1")
    with pytest.raises(NetworkError):
        ghcrctl.pull("octo/image")
