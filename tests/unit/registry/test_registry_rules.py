"""Routing rules: matching prefixes and rewriting names."""

from __future__ import annotations

import pytest

from ghcrctl.errors import InvalidSettingError, RefusedError
from ghcrctl.oci.reference import Reference
from ghcrctl.registry.insecure_hosts import InsecureHosts, of_docker
from ghcrctl.registry.registry_rules import (
    Location,
    Route,
    Routes,
    Rule,
    Step,
    rules_of_docker,
    rules_of_settings,
)

DIGEST = "sha256:" + "a" * 64
HUB = rules_of_docker({"registry-mirrors": ["https://hub.lan/cache/"]})


def rule(prefix: str, location: str = "", *mirrors: str, blocked: bool = False) -> Rule:
    places = tuple(map(Location, mirrors))
    return Rule(prefix, Location(location), places, blocked=blocked, any_port=True)


def found(routes: Routes, text: str) -> Route:
    return routes.find(Reference.parse(text))


def places(route: Route) -> list[str]:
    return [str(step.reference) for step in (*route.mirrors, route.origin)]


@pytest.mark.parametrize(
    ("prefix", "text"),
    [
        ("a.io", "a.io/x"),
        ("a.io", "a.io:5000/x"),
        ("a.io/x", "a.io/x"),
        ("a.io/x", "a.io/x:1"),
        ("a.io/x", f"a.io/x@{DIGEST}"),
        ("a.io/x", "a.io/x/y:1"),
        ("a.io/x:1", "a.io/x:1"),
        (f"a.io/x@{DIGEST}", f"a.io/x:1@{DIGEST}"),
        ("*.a.io", "b.a.io/x"),
        ("*.a.io", "b.a.io:5000/x"),
        ("*.a.io", "a.io.a.io/x"),
        ("*.a.io", "c.b.a.io/x:1"),
        ("*.a.io:5000", "b.a.io:5000/x"),
        ("*.a.io/x", "b.a.io/x/y"),
        ("a.io:443", "a.io/x"),
        ("a.io:80", "a.io/x"),
        ("a.io:443/x", "a.io/x:1"),
        ("a.io/x", "a.io:443/x:1"),
        ("*.a.io:443", "b.a.io/x"),
        ("*.a.io/x", "b.a.io:443/x"),
    ],
)
def test_a_prefix_matches(prefix: str, text: str) -> None:
    assert found(Routes(registries=[rule(prefix, blocked=True)]), text).blocked


@pytest.mark.parametrize(
    ("prefix", "text"),
    [
        ("a.io", "a.iox/x"),
        ("a.io", "b.a.io/x"),
        ("a.io:5000", "a.io/x"),
        ("a.io:5000", "a.io:50000/x"),
        ("a.io/x", "a.io/xy"),
        ("a.io/x:1", "a.io/x:12"),
        ("a.io/x:1", "a.io/x"),
        ("a.io/x:1", f"a.io/x:1@{DIGEST}"),
        ("*.a.io", "a.io/x"),
        ("*.a.io", "ba.io/x"),
        ("*.a.io", "b.io/c.a.io/x"),
        ("*", "a.io/x"),
        ("**.a.io", "b.a.io/x"),
    ],
)
def test_a_prefix_does_not_match(prefix: str, text: str) -> None:
    assert not found(Routes(registries=[rule(prefix, blocked=True)]), text).blocked


def test_the_longest_prefix_wins_wherever_it_is_in_the_file() -> None:
    rules = [
        rule("a.io", "one.lan"),
        rule("a.io/team", "two.lan"),
        rule("*.net", "three.lan"),
        rule("a.io/team/x:1", "four.lan/x:2"),
        rule("*.b.io", "five.lan"),
    ]
    expected = {
        "a.io/x:1": "one.lan/x:1",
        "a.io/team/x:2": "two.lan/x:2",
        "a.io/team/x:1": "four.lan/x:2",
        "a.io/teamwork:1": "one.lan/teamwork:1",
        "c.net/x:1": "three.lan/x:1",
        "c.b.io/x:1": "five.lan/x:1",
    }
    for order in (rules, rules[::-1]):
        routes = Routes(registries=order)
        assert {text: places(found(routes, text))[-1] for text in expected} == expected


def test_a_single_image_keeps_its_tag_at_a_place_without_one() -> None:
    routes = Routes(registries=[rule("a.io/x:1", "b.lan/y", "c.lan/z")])
    assert places(found(routes, "a.io/x:1")) == ["c.lan/z:1", "b.lan/y:1"]


def test_the_kind_of_reference_selects_mirrors() -> None:
    by_digest, by_tag = Location("d.lan", pulls="digest-only"), Location("t.lan", pulls="tag-only")
    routes = Routes(registries=[Rule("a.io", Location("a.io"), (by_digest, by_tag))])
    assert places(found(routes, "a.io/x:1")) == ["t.lan/x:1", "a.io/x:1"]
    assert places(found(routes, "a.io/x")) == ["t.lan/x", "a.io/x"]
    assert places(found(routes, f"a.io/x:1@{DIGEST}"))[0] == f"d.lan/x@{DIGEST}"


def test_mirrors_of_every_source_are_used_and_the_longest_prefix_wins() -> None:
    ours = rules_of_settings({"docker.io": ["ours.lan"], "quay.io/a": ["http://plain.lan:5000/q"]})
    registries = [rule("docker.io", "hub.example", "theirs.lan"), rule("quay.io", "", "q.lan")]
    routes = Routes(ours, registries, HUB)
    assert places(found(routes, "docker.io/a/b:1")) == ["ours.lan/a/b:1", "hub.example/a/b:1"]
    assert places(found(routes, "quay.io/c:1")) == ["q.lan/c:1", "quay.io/c:1"]
    quay = found(routes, "quay.io/a/b:1")
    assert quay.mirrors == (Step(Reference.parse("plain.lan:5000/q/b:1"), insecure=True),)
    routes = Routes(registries=registries, docker=HUB)
    assert places(found(routes, "docker.io/alpine:1"))[0] == "theirs.lan/library/alpine:1"
    routes = Routes(registries=[rule("docker.io/library", "docker.io/library")], docker=HUB)
    assert places(found(routes, "docker.io/alpine:1"))[0] == "hub.lan/cache/library/alpine:1"


def test_our_own_prefix_may_use_any_name_of_docker_hub() -> None:
    for prefix in ("index.docker.io", "registry-1.docker.io/", "Docker.io"):
        routes = Routes(rules_of_settings({prefix: ["m.lan"]}))
        assert places(found(routes, "docker.io/alpine:1"))[0] == "m.lan/library/alpine:1"
    routes = Routes(rules_of_settings({"*.A.io": ["m.lan"]}))
    assert places(found(routes, "b.a.io/x:1"))[0] == "m.lan/x:1"


def test_our_own_prefix_matches_one_port() -> None:
    routes = Routes(rules_of_settings({"a.io": ["m.lan"]}))
    assert not found(routes, "a.io:5000/x").mirrors


@pytest.mark.parametrize("also", [(), rules_of_settings({"a.io": ["m.lan"]})])
def test_a_block_takes_precedence_over_other_settings(also: list[Rule]) -> None:
    route = found(Routes(also, [rule("a.io", "a.io", blocked=True)]), "a.io/x")
    assert route.blocked


def test_a_location_or_mirror_that_is_blocked_itself_is_not_contacted() -> None:
    blocked = rule("b.lan", "b.lan", blocked=True)
    routes = Routes(registries=[rule("a.io", "b.lan", "b.lan/m", "c.lan"), blocked])
    route = found(routes, "a.io/x")
    assert route.blocked == blocked
    assert [step.reference.registry for step in route.mirrors] == ["c.lan"]


def test_a_rule_that_makes_an_invalid_name_is_an_error() -> None:
    routes = Routes(registries=[rule("a.io/x", "b.lan")])
    with pytest.raises(InvalidSettingError, match="not a valid name"):
        found(routes, "a.io/x:1")


def test_a_host_without_a_dot_is_a_host() -> None:
    routes = Routes(registries=[rule("a.io", "cache/a")])
    assert places(found(routes, "a.io/x:1")) == ["cache/a/x:1"]


def test_signing_in_uses_the_location_and_respects_a_block() -> None:
    routes = Routes(
        registries=[
            Rule("a.io", Location("b.lan/a", insecure=True), any_port=True),
            rule("*.c.io", "d.lan"),
            rule("*.e.io"),
            rule("bad.io", "bad.io", blocked=True),
            rule("alias.io", "bad.io"),
            rule("f.io/team", "g.lan"),
        ]
    )
    assert routes.find_host("a.io") == ("b.lan", True)
    assert routes.find_host("a.io:5000") == ("b.lan", True)
    assert routes.find_host("x.c.io") == ("d.lan", False)
    assert routes.find_host("x.e.io") == ("x.e.io", False)
    assert routes.find_host("f.io") == ("f.io", False)
    for registry in ("bad.io", "alias.io"):
        with pytest.raises(RefusedError, match="blocked"):
            routes.find_host(registry)


@pytest.mark.parametrize(
    ("prefix", "text", "place"),
    [
        ("a.io", "a.io:443/x:1", "m.lan/y/x:1"),
        ("a.io:443", "a.io/x:1", "m.lan/y/x:1"),
        ("a.io:443/x", "a.io/x:1", "m.lan/y:1"),
        ("a.io", "a.io:5000/x:1", "a.io:5000/x:1"),
    ],
)
def test_a_default_port_is_replaced_with_its_host(prefix: str, text: str, place: str) -> None:
    routes = Routes(registries=[Rule(prefix, Location("m.lan/y"))])
    assert str(found(routes, text).origin.reference) == place


def test_a_default_port_does_not_make_a_prefix_longer() -> None:
    whole, part = rule("a.io:443", "m.lan"), rule("a.io/x", "m.lan/part")
    routes = Routes(registries=[whole, part])
    assert str(found(routes, "a.io/x/y:1").origin.reference) == "m.lan/part/y:1"


def test_of_two_spellings_the_one_that_is_written_applies() -> None:
    routes = Routes(registries=[rule("a.io", "m.lan"), rule("a.io:443", "n.lan")])
    assert str(found(routes, "a.io/x:1").origin.reference) == "m.lan/x:1"
    assert str(found(routes, "a.io:443/x:1").origin.reference) == "n.lan/x:1"


def test_docker_lists_insecure_hosts_and_networks() -> None:
    files = [{"insecure-registries": ["a.lan:5000", "10.1.0.0/16", "http://b.lan/", "fd00::/8", 7]}]
    hosts = InsecureHosts.parse(of_docker(files))
    insecure = ["a.lan:5000", "A.lan:5000", "10.1.2.3", "10.1.2.3:5000", "b.lan", "[fd00::1]:5000"]
    insecure += ["b.lan:443", "b.lan:80"]
    assert all(host in hosts for host in insecure)
    assert not any(host in hosts for host in ("a.lan", "10.2.0.1:5000", "[fe80::1]", "b.lan:5000"))
    assert "localhost:5000" in InsecureHosts.parse(["127.0.0.0/8"])
    assert "x.invalid" not in InsecureHosts.parse(["127.0.0.0/8"])
    assert of_docker([{"insecure-registries": "x"}, {}]) == []
    assert rules_of_docker({"registry-mirrors": "x"}) == rules_of_docker({}) == []
