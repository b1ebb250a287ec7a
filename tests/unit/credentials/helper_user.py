"""A user with a credential helper: a real program on the PATH."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from ghcrctl.credentials.credential_chain import default_chain
from ghcrctl.credentials.helpers import Helper
from ghcrctl.credentials.own_store import default_store

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.credentials.credential import Credential

NOTHING = "credentials not found in native keychain"
# Stores credentials in a file beside the program: one JSON object.
PROGRAM = f"""#!{sys.executable} -IS
import json, pathlib, sys
here = pathlib.Path(__file__)
kept = here.with_suffix(".json")
known = json.loads(kept.read_text()) if kept.exists() else {{}}
verb, given = sys.argv[1], sys.stdin.buffer.read().decode()
with here.with_suffix(".log").open("a") as log:
    log.write(" ".join([*sys.argv[1:], given if verb != "store" else "..."]) + "\\n")
if verb == "store":
    data = json.loads(given)
    known[data["ServerURL"]] = [data["Username"], data["Secret"]]
elif verb == "list":
    print(json.dumps({{key: username for key, (username, _) in known.items()}}))
elif given not in known:
    print("{NOTHING}")
    sys.exit(1)
elif verb == "get":
    username, secret = known[given]
    print(json.dumps({{"ServerURL": given, "Username": username, "Secret": secret}}))
elif verb == "erase":
    del known[given]
kept.write_text(json.dumps(known))
"""


class User:
    """A user with a helper named `fake` on the PATH."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.said: list[str] = []
        self.environ = {"PATH": f"{home / 'bin'}:/usr/bin:/bin", "GHCRCTL_KEYRING": "0"}
        self.program(PROGRAM)
        self.configure({"credsStore": "fake"})

    def program(self, text: str, name: str = "fake") -> None:
        path = self.home / "bin" / f"docker-credential-{name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def script(self, body: str, name: str = "fake") -> None:
        self.program(f"#!/bin/sh\n{body}\n", name)

    def configure(self, data: Any) -> None:
        path = self.home / ".docker" / "config.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(data))

    def keep(self, **known: tuple[str, str]) -> None:
        (self.home / "bin" / "docker-credential-fake.json").write_text(json.dumps(known))

    @property
    def kept(self) -> Any:
        return json.loads((self.home / "bin" / "docker-credential-fake.json").read_text())

    @property
    def log(self) -> list[str]:
        return (self.home / "bin" / "docker-credential-fake.log").read_text().splitlines()

    @property
    def helper(self) -> Helper:
        return Helper("fake", self.environ)

    def find(self, registry: str = "reg.io", repository: str = "") -> Credential | None:
        config = self.home / "ours"
        credential_chain = default_chain(
            self.environ, home=self.home, config_dir=config, warn=self.said.append
        )
        return credential_chain.find(registry, repository)

    @property
    def own_store(self) -> Any:
        return default_store(self.environ, home=self.home, config_dir=self.home / "ours")
