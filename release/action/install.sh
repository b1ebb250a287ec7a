#!/usr/bin/env bash
# Installs ghcrctl and adds it to the PATH.
#
# Input:   PYTHON, SOURCE, RELEASE, CACHE, CHECKSUM, ACTION_REPOSITORY
# Outputs: version, path

python=$PYTHON
. "$GITHUB_ACTION_PATH/release/action/common.sh"

main() {
  isolate
  site=$home/site
  rm -rf "$site" "$home/bin"
  if [ -z "$RELEASE" ] || ! install_release; then
    install_source
  fi
  write_launcher
  publish
}

# Installs the single file of a release. Returns 1 if there is none for this Python and system.
install_release() {
  local name base=$GITHUB_SERVER_URL/$ACTION_REPOSITORY/releases/download/v$RELEASE
  name=$("$python" -I "$GITHUB_ACTION_PATH/release/file_name.py" "$RELEASE" | tr -d '\r') || fail "cannot run $python"
  if ! download "$base/SHA256SUMS" "$home/SHA256SUMS" || ! grep -q " $name\$" "$home/SHA256SUMS"; then
    [ -z "$CHECKSUM" ] || fail "release $RELEASE has no $name, so it cannot be checked against the input checksum"
    echo "release $RELEASE has no $name; installing from source"
    return 1
  fi
  download "$base/$name" "$home/$name" || fail "cannot download $base/$name"
  "$python" -I "$GITHUB_ACTION_PATH/release/action/verify.py" "$home/SHA256SUMS" "$home/$name" "$CHECKSUM" ||
    fail "the checksum of $name is wrong"
  "$python" -I "$GITHUB_ACTION_PATH/release/action/unpack.py" "$home/$name" "$site" ||
    fail "cannot unpack $name"
}

download() {
  if command -v curl >/dev/null; then
    # Credentials and settings of ~/.curlrc are for other servers.
    curl --disable --fail --silent --show-error --location --retry 3 --output "$2" "$1"
  else
    "$python" -I - "$1" "$2" <<'EOS'
import sys
import urllib.request

try:
    urllib.request.urlretrieve(*sys.argv[1:])
except OSError as error:
    sys.exit(f"{sys.argv[1]}: {error}")
EOS
  fi
}

# Installs the locked packages, and copies ghcrctl itself.
install_source() {
  if [ -z "$SOURCE" ]; then
    SOURCE=$home/source
    fetch_source "v$RELEASE" "$SOURCE"
  fi
  locked=(--no-deps --require-hashes --only-binary :all: --requirement "$SOURCE/release/requirements.txt")
  if ! { [ -d "$CACHE" ] && install_wheels; }; then
    rm -rf "$CACHE" "$site"
    find_pip
    "$pip" -I -m pip download --quiet --no-input --disable-pip-version-check --dest "$CACHE" "${locked[@]}" ||
      fail "cannot download the packages of ghcrctl"
    install_wheels || fail "cannot install the packages of ghcrctl"
  fi
  cp -R "$SOURCE/ghcrctl" "$site/ghcrctl"
}

# Installs the wheels of the cache, whose hashes are checked each time.
install_wheels() {
  local from=(--no-index --find-links "$CACHE" --target "$site")
  if command -v uv >/dev/null; then
    uv pip install --quiet --no-cache --python "$python" "${from[@]}" "${locked[@]}"
  else
    find_pip
    "$pip" -I -m pip install --quiet --no-input --disable-pip-version-check --no-compile "${from[@]}" "${locked[@]}"
  fi
}

# Python may have no pip, as in Debian's packages.
find_pip() {
  pip=$python
  "$pip" -I -m pip --version >/dev/null 2>&1 && return
  pip=$home/venv/bin/python
  [ -x "$pip" ] || "$python" -I -m venv --clear "$home/venv" ||
    fail "$python has neither pip nor venv; on Debian, install python3-venv"
}

# The program starts Python in isolated mode too: later steps often set PYTHONPATH to a folder of the checkout.
# It has a folder of its own, so that the PATH has no other program.
write_launcher() {
  mkdir -p "$home/bin"
  cat >"$home/launcher.py" <<'EOS'
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).with_name("site")))

from ghcrctl.cli.main import main

main()
EOS
  program=$home/bin/ghcrctl
  if [ "${RUNNER_OS-}" = Windows ]; then
    program=$program.exe
    "$python" -I "$GITHUB_ACTION_PATH/release/action/windows.py" "$home/bin" "$home/launcher.py" ||
      fail "cannot create $program"
  else
    printf '#!/bin/sh\nexec "%s" -I "%s" "$@"\n' "$python" "$home/launcher.py" >"$program"
    chmod +x "$program"
  fi
}

publish() {
  echo "$home/bin" >>"$GITHUB_PATH"
  # The keychain of macOS may wait for the user's permission.
  {
    echo "GHCRCTL_KEYRING=${GHCRCTL_KEYRING:-0}"
    echo "GHCRCTL_CONFIG_DIR=${GHCRCTL_CONFIG_DIR:-$home/config}"
  } >>"$GITHUB_ENV"
  local version
  version=$("$program" --version) || fail "ghcrctl was installed, but does not start"
  version=${version%$'\r'}
  {
    echo "version=${version##* }"
    echo "path=$program"
  } >>"$GITHUB_OUTPUT"
}

main
