"""Draw the pictures of the documentation: commands as they look on a terminal.

``make pictures`` writes ``docs/pictures/*.svg``. Each is a real run on a pseudo terminal, against
the tests' double of GitHub, which also serves as ghcr.io. The clock is fixed, so the same code
draws the same pictures.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from tests.packages_double import GitHubDouble
from tests.pictures.content import small_tree
from tests.pictures.svg import draw
from tests.pictures.terminal import ROOT, Terminal, prepared, screen_of

FOLDER = ROOT / "docs" / "pictures"


@dataclass(frozen=True)
class Picture:
    """A picture.

    Args:
        name: its name.
        lines: the commands that it shows.
        width: the width of the terminal (cells).
        keys: the keys to press; the picture shows the last screen.
    """

    name: str
    lines: tuple[str, ...]
    width: int = 100
    keys: tuple[str, ...] = ()


FIRST_STEPS = Picture(
    "first-steps",
    (
        """ghcrctl import -c 'CMD ["/hello"]' rootfs.tar octo/hello:1.0""",
        "ghcrctl push octo/hello:1.0",
        "ghcrctl rmi octo/hello:1.0",
        "ghcrctl pull octo/hello:1.0",
        "ghcrctl images --digests",
        "ghcrctl inspect --remote --format '{{json .Config}}' octo/hello:1.0",
        "ghcrctl history octo/hello:1.0",
    ),
    108,
)
PICTURES = (
    Picture("images", ("ghcrctl images", "ghcrctl images --tree")),
    Picture("df", ("ghcrctl df", "ghcrctl df -v")),
    Picture("history", ("ghcrctl history octo/app:1.3",)),
    Picture("diff", ("ghcrctl diff --files octo/app:1.1 octo/app:1.2",)),
    Picture("packages-show", ("ghcrctl packages show octo/app",)),
    Picture("packages-tree", ("ghcrctl packages versions --tree octo/app",)),
    Picture("packages-prune", ("ghcrctl packages prune octo/app --include 'pr-*' --dry-run",)),
    Picture(
        "packages-review",
        ("ghcrctl packages prune octo/app --include '1.*' --include 'pr-*' --review --dry-run",),
        keys=("j", "j", " ", "j", "\r"),
    ),
)


def shown_by(picture: Picture, terminal: Terminal) -> str:
    """Run the commands of a picture; return the command lines and their output."""
    if picture.keys:
        return screen_of(terminal.run(picture.lines[0], picture.width, picture.keys, 16))
    prompt = "\x1b[32m$\x1b[0m \x1b[1m{}\x1b[0m\n{}"
    return "\n".join(
        prompt.format(line, terminal.run(line, picture.width)) for line in picture.lines
    )


def main() -> None:
    """Draw the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=FOLDER, help="the folder to write to")
    parser.add_argument("--width", type=int, help="the width of the terminal")
    parser.add_argument("names", nargs="*", help="the pictures to draw (default: all)")
    arguments = parser.parse_args()
    arguments.out.mkdir(exist_ok=True)
    with GitHubDouble() as github, tempfile.TemporaryDirectory() as folder:
        terminal = prepared(Path(folder, "home"), github)
        new = Terminal(Path(folder, "new"), github)
        (new.folder / "rootfs.tar").write_bytes(small_tree())
        for picture, where in ((FIRST_STEPS, new), *((picture, terminal) for picture in PICTURES)):
            # The pictures have their own 16 colours for light and dark pages.
            where.environ["TERM"] = "xterm"
            if not arguments.names or picture.name in arguments.names:
                wide = replace(picture, width=arguments.width or picture.width)
                text = draw(shown_by(wide, where), wide.width, ", ".join(picture.lines))
                (arguments.out / f"{picture.name}.svg").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
