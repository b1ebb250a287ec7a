#!/bin/sh
# Find the supported Python versions on this machine.
#   first  print the one to create the environment with
#   unit   run the unit tests on the oldest and the newest other version
set -eu

# Print "VERSION PATH" of each Python that runs. Some on the PATH are shims that do not run.
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
        # A few examples per property are enough to find what differs between Python versions.
        HYPOTHESIS_PROFILE=few "$venv/bin/python" -m pytest -q -n "${JOBS:-5}" --dist worksteal \
            -p no:cacheprovider tests/unit tests/properties
    done
}

"$1"
