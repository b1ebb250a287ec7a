"""Commands and expected output are extracted from pages."""

from __future__ import annotations

from tests.docs.blocks import blocks_of
from tests.docs.output import matches, shortened

PAGE = """# Page

```sh
ghcrctl images
```

```text
REPOSITORY
```

<!-- not run: it needs a Windows
machine -->

```sh
format c:
```

- In a list, `conf/a.toml`:

  ```toml
  a = 1
  ```

  ```sh
  echo a
    echo b
  ```

Another file:

```toml
a = 1
```
"""


def test_commands_are_found_in_order() -> None:
    assert [block.text for block in blocks_of(PAGE)] == [
        "ghcrctl images\n",
        "format c:\n",
        'mkdir -p "$(dirname conf/a.toml)"\n'
        "cat > conf/a.toml <<'END-OF-conf/a.toml'\na = 1\nEND-OF-conf/a.toml\n",
        "echo a\n  echo b\n",
    ]


def test_a_text_block_right_after_is_the_expected_output() -> None:
    first, *others = blocks_of(PAGE)
    assert first.output == "REPOSITORY\n"
    assert PAGE.splitlines()[slice(*first.output_lines)] == ["REPOSITORY"]
    assert [block.output for block in others] == [None, None, None]


def test_a_skipped_block_has_a_reason() -> None:
    reasons = [block.reason for block in blocks_of(PAGE)]
    assert reasons == ["", "it needs a Windows\nmachine", "", ""]


def test_a_reason_below_the_title_applies_to_the_page() -> None:
    page = f"# Page\n\n<!-- not run: it costs money -->\n\n{PAGE}"
    assert {block.reason for block in blocks_of(page)} == {"it costs money"}


def test_digests_ids_and_ages_compare_as_equal() -> None:
    said = "v1  185ee20ab8a3  5 seconds ago\nDigest: sha256:fb1e9b91d3a2...\n"
    printed = f"v1   085ee20ab8af  About a minute ago\nDigest: sha256:{'0' * 64}\n"
    assert matches(said, printed)


def test_versions_of_the_program_compare_as_equal() -> None:
    assert matches("ghcrctl 0.2.0\n", "ghcrctl 1.0.0rc1\n")
    assert not matches("ghcrctl 0.2.0\n", "alpine 0.2.0\n")


def test_other_text_must_match() -> None:
    assert not matches("pulled\n", "pushed\n")
    assert not matches("one\n", "one\ntwo\n")


def test_dots_match_any_text_and_lines() -> None:
    assert matches("one ... end\n", "one two three end\n")
    assert matches("one\n...\nend\n", "one\ntwo\nthree\nend\n")
    assert not matches("one\n...\nend\n", "one\ntwo\n")


def test_layers_match_in_any_order() -> None:
    layers = "0123456789ab: Pull complete\n1123456789ab: Already exists\n"
    assert matches(
        f"1.0: Pulling\n{layers}",
        "1.0: Pulling\n" + "".join(reversed(layers.splitlines(keepends=True))),
    )
    assert not matches("a\nb\n", "b\na\n")


def test_digests_are_shortened() -> None:
    assert shortened(f"sha256:{'a' * 64}  \n\n") == f"sha256:{'a' * 12}...\n"
