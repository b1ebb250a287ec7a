# shellcheck shell=bash
# Functions of the action's scripts.
#
# Attack: the checkout of a job may contain a stranger's pull request, with files such as `pip/`, `logging.py` or
# `sitecustomize.py`, and this job handles a token. Decision: run in the runner's temporary folder, which is emptied
# with the credential when the job ends, ignore Python's variables, start Python in isolated mode, and install only
# packages with known hashes. Exception: absolute paths that the workflow sets, such as PIP_INDEX_URL=file:///srv/mirror.

set -euo pipefail

fail() {
  echo "::error title=ghcrctl::$1"
  exit 1
}

# Must run before anything else.
isolate() {
  unset "${!PYTHON@}"
  unset PIP_USER PIP_TARGET PIP_PREFIX PIP_ROOT PIP_REQUIRE_VIRTUALENV PIP_CONSTRAINT
  local name
  for name in PIP_CONFIG_FILE UV_CONFIG_FILE; do
    case "${!name-}" in "${GITHUB_WORKSPACE:-/dev/null}"/*) unset "$name" ;; esac
  done
  export PIP_ROOT_USER_ACTION=ignore
  cd "$RUNNER_TEMP"
  home=$RUNNER_TEMP/ghcrctl
  mkdir -p "$home"
}

# Prints the version in a source tree.
version_of() {
  sed -n 's/^__version__ = "\(.*\)"$/\1/p' "$1/ghcrctl/__init__.py"
}

# Downloads the source of a tag, branch or commit into a folder.
fetch_source() {
  local ref=$1 folder=$2
  rm -rf "$folder"
  git init --quiet "$folder"
  git -C "$folder" fetch --quiet --depth 1 -- "$GITHUB_SERVER_URL/$ACTION_REPOSITORY" "$ref" ||
    fail "cannot download ghcrctl $ref from $GITHUB_SERVER_URL/$ACTION_REPOSITORY"
  git -C "$folder" checkout --quiet FETCH_HEAD
}
