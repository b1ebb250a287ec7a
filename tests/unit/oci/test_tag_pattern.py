"""Tag patterns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghcrctl.errors import InvalidFilterError
from ghcrctl.oci.tag_pattern import parse_pattern, tag_filter


@pytest.mark.parametrize(
    ("pattern", "fits", "others"),
    [
        ("v1.*", ["v1.0", "v1.", "v1.0-rc"], ["v2.0", "1.0", "V1.0"]),
        ("latest", ["latest"], ["latest-dev", "Latest"]),
        (r"re:v\d+", ["v1", "v22"], ["v1.0", "xv1"]),
        (r"/v\d+/", ["v1", "v22"], ["v1.0", "xv1"]),
        ("re:(?i)edge.*", ["Edge", "EDGE-1"], ["ledge"]),
        ("semver:>=1.2 <2", ["1.2.0", "v1.10", "1.2"], ["1.1.9", "2.0.0", "latest"]),
        ("semver:^1", ["1.0.0", "1.9"], ["2.0", "0.9"]),
    ],
)
def test_patterns_match_tags(pattern: str, fits: list[str], others: list[str]) -> None:
    accepts = parse_pattern(pattern)
    assert [tag for tag in fits + others if accepts(tag)] == fits


@pytest.mark.parametrize("pattern", ["", "re:(", "re:*", "/(/", "semver:what"])
def test_an_invalid_pattern_is_an_error(pattern: str) -> None:
    with pytest.raises(InvalidFilterError):
        parse_pattern(pattern)


def test_excluded_tags_are_not_included() -> None:
    accepts = tag_filter(["1.*", "latest"], ["*-rc*"])
    assert [t for t in ("1.0", "1.1-rc1", "latest", "2.0") if accepts(t)] == ["1.0", "latest"]
    assert all(map(tag_filter([], []), ("1.0", "anything")))


@given(st.text(max_size=40))
def test_any_text_is_a_pattern_or_an_error(text: str) -> None:
    try:
        accepts = parse_pattern(text)
    except InvalidFilterError:
        return
    assert accepts("1.0.0") in {True, False}


TAGS = st.lists(st.from_regex(r"[a-z0-9_][a-z0-9._-]{0,8}", fullmatch=True), max_size=6)
PATTERNS = st.lists(
    st.sampled_from(["*", "1.*", "?", "[ab]*", "latest", "re:[0-9.]+", "/v.*/", "semver:>=1"]),
    max_size=3,
)


@given(TAGS, PATTERNS, PATTERNS)
def test_exclusion_takes_precedence_over_inclusion(
    tags: list[str], include: list[str], exclude: list[str]
) -> None:
    chosen = {tag for tag in tags if tag_filter(include, exclude)(tag)}
    fits = [parse_pattern(pattern) for pattern in exclude]
    assert not any(fit(tag) for fit in fits for tag in chosen)
    assert chosen <= {tag for tag in tags if tag_filter(include, exclude[1:])(tag)}
    if include:
        assert chosen <= {tag for tag in tags if tag_filter([*include, "l*"], exclude)(tag)}
