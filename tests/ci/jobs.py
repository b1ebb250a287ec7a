"""Jobs that use the action of this repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.ci.runner import ROOT, Runner
from tests.integration.peers import do_without

JOB_TOKEN = "ghs_of_the_job"
_NO_NETWORK = ("onnection", "error sending request")


def make_runner(folder: Path, **github: str) -> Runner:
    temp = folder / "temp with a space"
    temp.mkdir(parents=True)
    passed = ("PIP_", "UV_", "SSL_CERT_")
    environ = {
        **{name: value for name, value in os.environ.items() if name.startswith(passed)},
        "PATH": _path_without("uv"),
        "HOME": str(folder),
        "RUNNER_TEMP": str(temp),
        "UV_SYSTEM_CERTS": "1",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_ACTIONS": "true",
        "CI": "true",
    }
    return Runner(folder, environ, {"token": JOB_TOKEN, "actor": "octo", **github})


def _path_without(program: str) -> str:
    """Return the PATH without the folders that have a program."""
    folders = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join(one for one in folders if not (Path(one) / program).exists())


def use_action(runner: Runner, action: Path = ROOT, **inputs: str) -> None:
    if not runner.use(action, **inputs):
        if "could not be installed" in runner.log or any(
            text in runner.log for text in _NO_NETWORK
        ):
            do_without(f"a network with a package index is missing: {runner.log[-500:]}")
        pytest.fail(runner.log)
