"""A composite action of GitHub as its runner carries it out, on this machine.

What belongs here: inputs, expressions as far as ours go, and the files that carry variables,
outputs and the PATH from step to step. Source: GitHub's documentation, "Workflow commands for
GitHub Actions" and "Variables reference".
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
    """One job.

    Args:
        folder: what the job has for itself.
        environ: the variables of the machine.
        github: the context ``github``.
    """

    folder: Path
    environ: dict[str, str]
    github: dict[str, str]
    log: str = ""
    outputs: dict[str, str] = field(default_factory=dict)

    def use(self, action: Path, **inputs: str) -> bool:
        """Carry out an action; tell whether every step went well."""
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
        """Run a script as a step with ``shell: bash`` does; tell whether it went well."""
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
        """Return what a name on the job's PATH means."""
        return shutil.which(program, path=self.environ["PATH"])


def _pairs(path: Path) -> list[tuple[str, str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(name, value) for name, _, value in (line.partition("=") for line in lines)]


def expand(text: str, scope: Mapping[str, str]) -> str:
    """Put in what the expressions of a text stand for."""
    return _EXPRESSION.sub(lambda match: evaluate(match.group(1), scope), text)


def evaluate(expression: str, scope: Mapping[str, str]) -> str:
    """Return what an expression stands for: names, texts, ``||`` and ``!=``."""
    left, bars, right = expression.partition("||")
    if bars:
        return evaluate(left, scope) or evaluate(right, scope)
    left, differs, right = expression.partition("!=")
    if differs:
        return "true" if evaluate(left, scope) != evaluate(right, scope) else ""
    name = expression.strip()
    if name.startswith("'"):
        return name.strip("'")
    assert name.startswith(("inputs.", "github.", "steps.")), f"what does {name} mean"
    return scope.get(name, "")
