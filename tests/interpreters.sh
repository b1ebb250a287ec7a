#!/bin/sh
# The Pythons of this machine that ghcrctl supports.
#   first  prints the one to make the environment with
#   unit   runs the unit tests on the oldest and on the newest besides that one
set -eu

# Prints "VERSION PATH" for each that runs; some found on the PATH are only shims that do not.
found() {
    for candidate in python3 python3.14 python3.13 python3.12 python3.11 python3.10 \
        "$HOME"/.pyenv/versions/3.1[0-9]*/bin/python3; do
        path=$(command -v "$candidate" 2>/dev/null) || continue
        version=$("$path" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
        case "$version" in 3.1[0-4]) echo "$version $path" ;; esac
    done
}

first() {
    found | head -n 1 | cut -d ' ' -f 2
}

unit() {
    ours=$(.venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    others=$(found | sort -t . -k 2 -n -u)
    oldest=$(echo "$others" | head -n 1)
    newest=$(echo "$others" | tail -n 1)
    printf '%s\n%s\n' "$oldest" "$newest" | sort -u | while read -r version path; do
        if [ "$version" = "$ours" ]; then
            continue
        fi
        echo "unit tests on Python $version"
        venv=".venvs/$version"
        if [ ! -e "$venv/.made" ] || [ pyproject.toml -nt "$venv/.made" ]; then
            "$path" -m venv "$venv"
            "$venv/bin/python" -m pip install --quiet --upgrade "pip>=25.1"
            "$venv/bin/python" -m pip install --quiet --editable ".[serve]" --group test
            touch "$venv/.made"
        fi
        # Other Pythons differ in what a test meets at once, and hardly in its hundredth example.
        HYPOTHESIS_PROFILE=few "$venv/bin/python" -m pytest -q -n "${JOBS:-3}" --dist worksteal \
            -p no:cacheprovider tests/unit tests/properties
    done
}

"$1"
