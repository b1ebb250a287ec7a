"""References, digests, platforms and numbers, parsed from any text."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghcrctl.errors import InvalidDigestError, InvalidPlatformError, InvalidReferenceError
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.numbers import whole_number
from ghcrctl.oci.platform import Platform, best_match
from ghcrctl.oci.reference import Reference

if TYPE_CHECKING:
    from random import Random

# The grammar of references, rewritten from its specification (distribution/reference).
_label = st.from_regex(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,8}[a-zA-Z0-9])?", fullmatch=True)
_hosts = st.one_of(
    st.lists(_label, min_size=2, max_size=3).map(".".join),
    st.just("localhost"),
    st.just("[2001:db8::1]"),
)
_ports = st.one_of(st.just(""), st.integers(0, 65535).map(":{}".format))
_part = st.from_regex(r"[a-z0-9]{1,6}((\.|_|__|-{1,3})[a-z0-9]{1,6}){0,2}", fullmatch=True)
_paths = st.lists(_part, min_size=1, max_size=4).map("/".join)
_tags = st.one_of(st.just(""), st.from_regex(r":[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True))
_digests = st.one_of(
    st.just(""),
    st.binary(max_size=4).map(lambda b: f"@sha256:{hashlib.sha256(b).hexdigest()}"),
    st.binary(max_size=4).map(lambda b: f"@sha512:{hashlib.sha512(b).hexdigest()}"),
)


@given(host=_hosts, port=_ports, path=_paths, tag=_tags, digest=_digests)
def test_references_of_the_grammar_survive_a_round_trip(
    host: str, port: str, path: str, tag: str, digest: str
) -> None:
    text = f"{host}{port}/{path}{tag}{digest}"
    reference = Reference.parse(text)
    assert str(reference).endswith(f"{path}{tag}{digest}")
    assert Reference.parse(str(reference)) == reference
    assert reference.tag == (tag[1:] or None)
    assert str(reference.digest or "") == digest[1:]


@given(path=_paths, tag=_tags)
def test_without_a_registry_the_default_one_is_used(path: str, tag: str) -> None:
    reference = Reference.parse(f"octo/{path}{tag}", default_registry="registry.example")
    assert str(reference) == f"registry.example/octo/{path}{tag}"


_texts = st.one_of(
    st.text(max_size=60),
    st.text("aZ0.-_:/@[]sha256", max_size=60),
    st.text(max_size=5).flatmap(lambda odd: st.just(f"ghcr.io/octo/image{odd}:1.0")),
    st.integers(3, 6000).map(lambda count: f"host:{'9' * count}/x"),
)


@given(_texts)
def test_any_other_text_is_an_error_that_quotes_it(text: str) -> None:
    try:
        reference = Reference.parse(text)
    except InvalidReferenceError as error:
        caught = error
    else:
        assert Reference.parse(str(reference), default_registry="") == reference
        return
    assert caught.message.startswith("invalid reference `")
    assert caught.message.isprintable()
    position = re.search(r" \(character ([0-9]+)\)\Z", caught.message)
    assert position is None or 1 < int(position[1]) <= len(text) + 1
    assert caught.hint


@given(data=st.binary(max_size=200), algorithm=st.sampled_from(["sha256", "sha512"]))
def test_different_bytes_have_different_digests(data: bytes, algorithm: str) -> None:
    digest = Digest.of(data, algorithm)
    assert Digest.parse(str(digest)) == digest
    assert digest.encoded == hashlib.new(algorithm, data).hexdigest()
    assert Digest.of(data + b"x", algorithm) != digest


@given(st.text(max_size=80))
def test_any_other_text_is_not_a_digest(text: str) -> None:
    with pytest.raises(InvalidDigestError):
        Digest.parse(text)


_platforms = st.builds(
    Platform,
    st.sampled_from(["linux", "windows", "darwin"]),
    st.sampled_from(["amd64", "arm64", "arm", "386", "riscv64", "x86_64", "aarch64"]),
    st.sampled_from(["", "v6", "v7", "v8", "8", "odd", "²"]),
    st.sampled_from(["", "10.0.17763.1", "10.0.20348.5", "²", "9" * 5000]),
)


@given(_platforms)
def test_the_normal_form_is_stable_and_parsable(platform: Platform) -> None:
    normal = platform.normalized()
    assert normal.normalized() == normal
    assert Platform.from_json(normal.to_json()) == normal
    if "²" not in str(normal):
        assert Platform.parse(str(normal)) == normal


@given(want=_platforms, offered=st.lists(st.none() | _platforms, max_size=6))
def test_the_chosen_platform_is_the_best_that_runs(
    want: Platform, offered: list[Platform | None]
) -> None:
    chosen = best_match(want, offered)
    ranks = [want.rank(platform) if platform else None for platform in offered]
    if chosen is None:
        assert all(rank is None for rank, p in zip(ranks, offered, strict=True) if p)
        return
    best = ranks[chosen]
    if best is not None:
        assert all(rank is None or rank <= best for rank in ranks)


@given(st.text(max_size=30))
def test_any_text_is_a_platform_or_an_error(text: str) -> None:
    try:
        platform = Platform.parse(text)
    except InvalidPlatformError as error:
        caught = error
    else:
        assert platform.os
        assert platform.architecture
        return
    assert caught.hint


@given(st.integers(0, 10**18 - 1), st.integers(0, 5000))
def test_leading_zeros_do_not_change_numbers(number: int, zeros: int) -> None:
    assert whole_number("0" * zeros + str(number)) == number


@pytest.mark.parametrize("text", ["", "²", "٣", "-1", "+1", "1.0", " 1", "1\n", "1_000", "9" * 19])
def test_lookalikes_are_not_numbers(text: str) -> None:
    assert whole_number(text) is None


_components = st.lists(_part, min_size=2, max_size=4)
_bad = st.sampled_from([*list(" !$%&'()*+,;<=>?[]^`{|}~"), "\t", "\n", "☃"])


@given(_components, _bad, st.data())
def test_errors_state_the_position_of_the_invalid_character(
    components: list[str], bad: str, data: st.DataObject
) -> None:
    text = "ghcr.io/" + "/".join(components)
    position = data.draw(st.integers(len("ghcr.io/") + 1, len(text)))
    with pytest.raises(InvalidReferenceError) as caught:
        Reference.parse(text[:position] + bad + text[position:])
    assert caught.value.message.endswith(f"(character {position + 1})")


@given(st.lists(_platforms, min_size=1, max_size=5), st.randoms())
def test_the_choice_does_not_depend_on_the_order(offered: list[Platform], random: Random) -> None:
    want = Platform("linux", "arm", "v7")
    shuffled = random.sample(offered, len(offered))
    first, second = best_match(want, offered), best_match(want, shuffled)
    chosen = offered[first].normalized() if first is not None else None
    again = shuffled[second].normalized() if second is not None else None
    ranks = [want.rank(platform) if platform else None for platform in (chosen, again)]
    assert ranks[0] == ranks[1]


@pytest.mark.parametrize(
    ("want", "best_first"),
    [
        ("linux/arm/v7", ["linux/arm/v7", "linux/arm/v6", "linux/arm/v5"]),
        ("linux/amd64/v3", ["linux/amd64/v3", "linux/amd64/v2", "linux/amd64"]),
        (
            "windows/amd64:10.0.17763.5",
            [
                "windows/amd64:10.0.17763.5",
                "windows/amd64:10.0.17763.9",
                "windows/amd64:10.0.17763.1",
            ],
        ),
    ],
)
def test_the_nearest_platform_that_runs_comes_first(want: str, best_first: list[str]) -> None:
    offered = [Platform.parse(text) for text in best_first]
    machine = Platform.parse(want)
    for left in range(len(offered)):
        rest = offered[left:]
        assert best_match(machine, rest) == 0
        assert best_match(machine, rest[::-1]) == len(rest) - 1
    assert best_match(offered[-1], offered[:-1]) is None or want.startswith("windows")
