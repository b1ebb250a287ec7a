"""Show ghcrctl at work, with ``make demo``.

Everything is in a temporary directory, and deleted at the end. The home directory, keyring and
credentials of the user are not touched.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 150


class Demo:
    """A run of the demo in a temporary directory."""

    def __init__(self, folder: Path, console: Console) -> None:
        self.folder = folder
        self.console = console
        self.environ = {
            "HOME": str(folder / "home"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "GHCRCTL_STORE": str(folder / "images"),
            "GHCRCTL_CONFIG_DIR": str(folder / "config"),
            "GHCRCTL_KEYRING": "0",
            "COLUMNS": str(WIDTH),
        }
        (folder / "home").mkdir()

    def say(self, text: str) -> None:
        """Print an explanation."""
        self.console.print(Text(f"\n# {text}", style="bright_black"))

    def run(self, line: str) -> str:
        """Print a command line, run it in a shell, print and return its output."""
        self.console.print(Text.assemble(("$ ", "bold green"), (line, "bold")), soft_wrap=True)
        shown = subprocess.run(
            line,
            shell=True,
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if shown.stdout:
            self.console.print(Text(shown.stdout.rstrip()), soft_wrap=True)
        if shown.returncode:
            sys.exit(f"the demo stopped: `{line}` exited with status {shown.returncode}")
        return shown.stdout


def make_tree(folder: Path) -> None:
    """Create a tar archive of a small file tree: a program and some data."""
    tree = folder / "rootfs"
    (tree / "usr" / "share").mkdir(parents=True)
    (tree / "hello").write_text("#!/bin/sh\necho hello from a container\n")
    (tree / "hello").chmod(0o755)
    (tree / "usr" / "share" / "data").write_bytes(os.urandom(8_000_000))
    with tarfile.open(folder / "rootfs.tar", "w") as archive:
        archive.add(tree, arcname=".")


def serve(demo: Demo) -> tuple[subprocess.Popen[str], str]:
    """Start a registry on loopback; return its process and its host and port."""
    command = [
        "ghcrctl",
        "serve",
        "--addr",
        "127.0.0.1:0",
        "--store",
        str(demo.folder / "registry"),
    ]
    process = subprocess.Popen(
        command,
        env=demo.environ,
        stdout=subprocess.PIPE,
        # The message about its termination is expected.
        stderr=subprocess.DEVNULL,
        text=True,
    )
    line = process.stdout.readline() if process.stdout else ""
    match = re.search(r"http://(\S+)", line)
    if not match:
        sys.exit("the demo stopped: its registry did not start")
    demo.console.print(
        Text.assemble(("$ ", "bold green"), (f"{shlex.join(command[:2])} &", "bold"))
    )
    return process, match[1]


def show(demo: Demo) -> None:
    """Run the commands of the demo."""
    make_tree(demo.folder)
    process, host = serve(demo)
    try:
        name = f"{host}/octo/hello"
        demo.say("create an image from a file tree, tag it, push it")
        demo.run("""ghcrctl import -c 'CMD ["/hello"]' rootfs.tar hello_docker""")
        demo.run(f"ghcrctl tag hello_docker {name}:1.0")
        demo.run(f"echo secret | ghcrctl login {host} -u octo --password-stdin")
        pushed = demo.run(f"ghcrctl push {name}:1.0")
        digest = re.findall(r"sha256:[0-9a-f]{64}", pushed)[-1]
        demo.say("remove it, and pull it by tag and by digest")
        demo.run(f"ghcrctl rmi hello_docker {name}:1.0")
        demo.run(f"ghcrctl pull {name}:1.0")
        demo.run(f"ghcrctl pull {name}@{digest}")
        demo.run("ghcrctl images --digests")
        demo.say("inspect it, and show its history")
        demo.run(f"ghcrctl inspect --format '{{{{index .RepoDigests 0}}}}' {name}:1.0")
        demo.run(f"ghcrctl inspect --remote --format '{{{{json .Config}}}}' {name}:1.0")
        demo.run(f"ghcrctl history {name}:1.0")
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    """Run the demo."""
    with tempfile.TemporaryDirectory(prefix="ghcrctl-demo-") as folder:
        show(Demo(Path(folder), Console(highlight=False)))


if __name__ == "__main__":
    main()
