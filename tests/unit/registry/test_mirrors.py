"""Rules for mirrors, from whoever wrote them, and a source that asks one place after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import InvalidSettingError, ManifestUnknownError, RefusedError
from ghcrctl.operations.inspect import inspect_remote
from ghcrctl.operations.pull import pull
from ghcrctl.registry.routes import (
    Location,
    Route,
    Rule,
    route,
    rules_of_containers,
    rules_of_docker,
    rules_of_settings,
)
from ghcrctl.settings import Settings
from tests.builders import random_image
from tests.registry_double import Fault, PlainRegistry, RegistryDouble
from tests.sessions import is_stored, name_at, session_on

if TYPE_CHECKING:
    from pathlib import Path

IMAGE = random_image(3, 100_000, seed=1)
HUB = Rule("docker.io", Location("docker.io"), (Location("mirror.lan/hub"),))
TEAM = Rule("ghcr.io/octo", Location("ghcr.io/octo"), (Location("cache.lan:5000", insecure=True),))
MOVED = Rule("old.example", Location("new.example/old", insecure=True))
WILD = Rule("*.example.com", Location("*.example.com"), (Location("cache.lan"),))
BLOCKED = Rule("bad.example", Location("bad.example"), blocked=True)
RULES = [
    HUB,
    Rule("ghcr.io", Location("ghcr.io"), (Location("far.lan"),)),
    TEAM,
    MOVED,
    WILD,
    BLOCKED,
]


@pytest.mark.parametrize(
    ("registry", "repository", "steps"),
    [
        ("quay.io", "a/b", [("quay.io", "a/b", False)]),
        (
            "docker.io",
            "library/ubuntu",
            [("mirror.lan", "hub/library/ubuntu", False), ("docker.io", "library/ubuntu", False)],
        ),
        ("ghcr.io", "other/x", [("far.lan", "other/x", False), ("ghcr.io", "other/x", False)]),
        ("ghcr.io", "octo/x", [("cache.lan:5000", "x", True), ("ghcr.io", "octo/x", False)]),
        (
            "ghcr.io",
            "octoplus/x",
            [("far.lan", "octoplus/x", False), ("ghcr.io", "octoplus/x", False)],
        ),
        ("old.example", "a/b", [("new.example", "old/a/b", True)]),
        (
            "one.example.com",
            "a/b",
            [("cache.lan", "a/b", False), ("one.example.com", "a/b", False)],
        ),
        ("example.com", "a/b", [("example.com", "a/b", False)]),
    ],
)
def test_the_longest_prefix_says_where_to_ask(
    registry: str, repository: str, steps: list[tuple[str, str, bool]]
) -> None:
    assert route(RULES, registry, repository) == Route(tuple(steps))


def test_a_blocked_registry_is_blocked() -> None:
    assert route(RULES, "bad.example", "a/b").blocked


def test_rules_are_read_in_everybodys_form() -> None:
    ours = rules_of_settings({"docker.io": ["mirror.lan/hub", "http://plain.lan:5000/"]})
    assert ours[0].mirrors == (
        Location("mirror.lan/hub"),
        Location("plain.lan:5000", insecure=True),
    )
    assert rules_of_docker({"registry-mirrors": ["https://mirror.lan/hub/"]}) == [HUB]
    assert rules_of_docker({"registry-mirrors": "x"}) == rules_of_docker({}) == []
    containers = {
        "unqualified-search-registries": ["docker.io"],
        "registry": [
            {
                "location": "ghcr.io/octo",
                "mirror": [{"location": "cache.lan:5000", "insecure": True}],
            },
            {"prefix": "old.example", "location": "new.example/old", "insecure": True},
            {"prefix": "*.example.com", "mirror": [{"location": "cache.lan"}]},
            {"prefix": "bad.example", "blocked": True},
        ],
    }
    assert rules_of_containers(containers, "x") == [TEAM, MOVED, WILD, BLOCKED]


@pytest.mark.parametrize(
    "data", [{"registry": 7}, {"registry": [{}]}, {"registry": [{"prefix": "a", "mirror": [{}]}]}]
)
def test_a_file_that_makes_no_sense_is_named(data: dict[str, object]) -> None:
    with pytest.raises(InvalidSettingError, match=r"registries\.conf"):
        rules_of_containers(data, "registries.conf")


def test_settings_find_the_rules_of_others(tmp_path: Path) -> None:
    conf = tmp_path / ".config" / "containers" / "registries.conf"
    conf.parent.mkdir(parents=True)
    conf.write_text(
        '[[registry]]\nprefix = "a.example"\n[[registry.mirror]]\nlocation = "b.example"\n'
    )
    config = tmp_path / "config"
    config.mkdir()
    (config / "config.toml").write_text('[mirrors]\n"c.example" = ["d.example", "e.example"]\n')
    environ = {"HOME": str(tmp_path), "GHCRCTL_CONFIG_DIR": str(config)}
    rules = Settings(environ).mirror_rules
    assert [rule.prefix for rule in rules[:2]] == ["c.example", "a.example"]
    given = Settings({**environ, "GHCRCTL_MIRRORS": "x.lan=y.lan x.lan=z.lan"}).mirror_rules[0]
    assert [mirror.name for mirror in given.mirrors] == ["y.lan", "z.lan"]
    with pytest.raises(InvalidSettingError, match="PREFIX=PLACE"):
        _ = Settings({**environ, "GHCRCTL_MIRRORS": "x.lan"}).mirror_rules
    conf.write_text("no toml")
    with pytest.raises(InvalidSettingError, match=r"registries\.conf"):
        _ = Settings(environ).mirror_rules


@pytest.fixture
def mirror(plain_registry: PlainRegistry) -> PlainRegistry:
    plain_registry.push_image("octo/image", "1.0", IMAGE)
    return plain_registry


@pytest.fixture
def origin(ghcr: RegistryDouble) -> RegistryDouble:
    ghcr.push_image("octo/image", "1.0", IMAGE)
    return ghcr


@pytest.mark.parametrize(
    "fault",
    [
        None,
        Fault(status=500, times=99),
        Fault(path_contains="/manifests/", status=404, times=99),
        Fault(path_contains="/manifests/", body=b"lies", times=99),
        Fault(path_contains="/blobs/", status=404, times=99),
        Fault(path_contains="/blobs/", status=500, times=99),
        Fault(path_contains="/blobs/", cut_after=5000, times=2),
        Fault(path_contains="/blobs/", body=b"lies", times=99),
        Fault(path_contains="/blobs/", body=b"long " * 100_000, times=99),
        Fault(status=401, times=99),
    ],
    ids=[
        "well",
        "down",
        "no manifest",
        "lies",
        "no blobs",
        "blobs fail",
        "cut",
        "blobs lie",
        "blobs are long",
        "denied",
    ],
)
def test_whatever_a_mirror_does_the_image_arrives(
    tmp_path: Path, mirror: PlainRegistry, origin: RegistryDouble, fault: Fault | None
) -> None:
    if fault:
        mirror.faults.append(fault)
    environ = {"GHCRCTL_MIRRORS": f"{origin.host}={mirror.host}"}
    with session_on(tmp_path, registry=origin.host, token="ghp_octo", environ=environ) as session:
        result = pull(session, name_at(origin, session))
        assert result.digest == IMAGE.root.digest
        assert is_stored(session, IMAGE)
    assert not any(entry.had_authorization for entry in mirror.log)
    if fault is None:
        assert origin.count() == 0


def test_a_mirror_that_is_gone_is_asked_once(tmp_path: Path, origin: RegistryDouble) -> None:
    said: list[str] = []
    environ = {"GHCRCTL_MIRRORS": f"{origin.host}=127.0.0.1:9"}
    with session_on(
        tmp_path, registry=origin.host, token="ghp_octo", warn=said.append, environ=environ
    ) as session:
        assert pull(session, name_at(origin, session)).updated
        assert inspect_remote(session, name_at(origin, session))["Os"] == "linux"
    assert "127.0.0.1:9/octo/image does not answer" in said[0]


def test_what_nobody_has_is_the_origins_error(
    tmp_path: Path, mirror: PlainRegistry, origin: RegistryDouble
) -> None:
    environ = {"GHCRCTL_MIRRORS": f"{origin.host}={mirror.host}"}
    with (
        session_on(tmp_path, registry=origin.host, token="ghp_octo", environ=environ) as session,
        pytest.raises(ManifestUnknownError, match=origin.host),
    ):
        pull(session, name_at(origin, session, "octo/image:none"))


def test_what_is_blocked_is_not_pulled(tmp_path: Path, origin: RegistryDouble) -> None:
    conf = tmp_path / ".config" / "containers" / "registries.conf"
    conf.parent.mkdir(parents=True)
    conf.write_text(f'[[registry]]\nprefix = "{origin.host}"\nblocked = true\n')
    with (
        session_on(tmp_path, registry=origin.host, token="ghp_octo") as session,
        pytest.raises(RefusedError, match="blocked"),
    ):
        pull(session, name_at(origin, session))
