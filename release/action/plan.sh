#!/usr/bin/env bash
# Selects what the action installs: the single file of a release, or a source tree with its locked packages.
#
# Input:   VERSION, ACTION_REF, ACTION_REPOSITORY
# Outputs: python, source, release, cache-path, cache-key

. "$GITHUB_ACTION_PATH/release/action/common.sh"

main() {
  isolate
  find_python
  source=$GITHUB_ACTION_PATH
  release=""
  if [[ $VERSION =~ ^v?[0-9]+\.[0-9]+\.[0-9]+$ ]]; then
    release=${VERSION#v}
    source=""
  else
    if [ -n "$VERSION" ]; then
      source=$home/source
      fetch_source "$VERSION" "$source"
    fi
    # A tag such as v1 or v1.2 points to a release. A commit does not: what it pins is its own source.
    if is_release_tag "${VERSION:-$ACTION_REF}"; then
      release=$(version_of "$source")
    fi
  fi
  {
    echo "python=$python"
    echo "source=$source"
    echo "release=$release"
    echo "cache-path=$home/cache"
    if [ -z "$release" ]; then
      echo "cache-key=$(cache_key)"
    fi
  } >>"$GITHUB_OUTPUT"
}

find_python() {
  local candidate
  # On Windows, `python3` may be a stub that opens the Microsoft Store.
  for candidate in python3 python; do
    if python=$("$candidate" -I -c 'import sys; sys.version_info >= (3, 10) or sys.exit(1); print(sys.executable)' \
      2>/dev/null) && [ -n "$python" ]; then
      python=${python%$'\r'}
      return
    fi
  done
  fail "no Python 3.10 or later on the PATH; add actions/setup-python before this step"
}

is_release_tag() {
  [[ $1 =~ ^v[0-9]+(\.[0-9]+)*$ ]]
}

cache_key() {
  local lock=$source/release/requirements.txt
  [ -f "$lock" ] || fail "this version of ghcrctl has no release/requirements.txt; choose a later one"
  "$python" -I - "$lock" <<'EOS' | tr -d '\r'
import hashlib, platform, sys
from pathlib import Path

digest = hashlib.sha256(Path(sys.argv[1]).read_bytes()).hexdigest()[:16]
version = ".".join(map(str, sys.version_info[:2]))
print(f"ghcrctl-{sys.platform}-{platform.machine()}-py{version}-{digest}")
EOS
}

main
