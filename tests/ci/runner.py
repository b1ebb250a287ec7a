"""A runner of composite actions on this machine.

It supports the expressions of our action, and the files that pass variables, outputs and the PATH
from step to step. Actions that a step uses are recorded, not run.

Source: GitHub's documentation, "Workflow commands for GitHub Actions" and "Variables reference".
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.integration.peers import require_peer

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
_EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")


@dataclass(slots=True)
class Runner:
    """A job.

    Args:
        folder: the checkout.
        environ: environment variables.
        github: the context ``github``.

    Attributes:
        log: output of all steps.
        outputs: outputs of the last action.
        used: actions that steps used, with their inputs.
    """

    folder: Path
    environ: dict[str, str]
    github: dict[str, str]
    log: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    used: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def use(self, action: Path, **inputs: str) -> bool:
        """Run an action; return whether every step succeeded."""
        described = yaml.safe_load((action / "action.yml").read_text(encoding="utf-8"))
        scope: dict[str, str] = {f"github.{name}": text for name, text in self.github.items()}
        for name, described_input in described["inputs"].items():
            given = inputs.get(name, described_input.get("default", ""))
            scope[f"inputs.{name}"] = expand(given, scope)
        for step in described["runs"]["steps"]:
            if evaluate(step.get("if", "'always'"), scope) and not self._step(action, step, scope):
                return False
        self.outputs = {
            name: expand(output["value"], scope) for name, output in described["outputs"].items()
        }
        return True

    def run(self, script: str, extra: Mapping[str, str] | None = None) -> bool:
        """Run a script like a step with ``shell: bash``; return whether it succeeded."""
        done = subprocess.run(
            [require_peer("bash"), "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            env={**self.environ, **(extra or {})},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        self.log += done.stdout + done.stderr
        return done.returncode == 0

    def _step(self, action: Path, step: Mapping[str, Any], scope: dict[str, str]) -> bool:
        if "uses" in step:
            inputs = {name: expand(text, scope) for name, text in step["with"].items()}
            self.used.append((step["uses"], inputs))
            return True
        given = {name: expand(text, scope) for name, text in step.get("env", {}).items()}
        files = {
            name: self.folder / name for name in ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH")
        }
        for path in files.values():
            path.write_text("", encoding="utf-8")
        given |= {name: str(path) for name, path in files.items()}
        went_well = self.run(step["run"], {**given, "GITHUB_ACTION_PATH": str(action)})
        for name, value in _pairs(files["GITHUB_OUTPUT"]):
            scope[f"steps.{step.get('id')}.outputs.{name}"] = value
        self.environ.update(_pairs(files["GITHUB_ENV"]))
        for folder in files["GITHUB_PATH"].read_text(encoding="utf-8").splitlines():
            self.environ["PATH"] = f"{folder}:{self.environ['PATH']}"
        return went_well

    def which(self, program: str) -> str | None:
        """Return the path of a program on the job's PATH."""
        return shutil.which(program, path=self.environ["PATH"])


def _pairs(path: Path) -> list[tuple[str, str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(name, value) for name, _, value in (line.partition("=") for line in lines)]


def expand(text: str, scope: Mapping[str, str]) -> str:
    """Replace expressions in a text by their values."""
    return _EXPRESSION.sub(lambda match: evaluate(match.group(1), scope), text)


def evaluate(expression: str, scope: Mapping[str, str]) -> str:
    """Return the value of an expression of names, strings, ``||`` and ``!=``."""
    left, bars, right = expression.partition("||")
    if bars:
        return evaluate(left, scope) or evaluate(right, scope)
    left, differs, right = expression.partition("!=")
    if differs:
        return "true" if evaluate(left, scope) != evaluate(right, scope) else ""
    name = expression.strip()
    if name.startswith("'"):
        return name.strip("'")
    assert name.startswith(("inputs.", "github.", "steps.")), f"unknown name {name}"
    return scope.get(name, "")
