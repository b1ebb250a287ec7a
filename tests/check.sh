#!/bin/sh
# Run make targets in order, one line per step; print the output of a step that fails.
set -u

log=$(mktemp)
trap 'rm -f "$log"' EXIT
for step in "$@"; do
    began=$(date +%s)
    printf '%-12s' "$step"
    if make --no-print-directory "$step" >"$log" 2>&1; then
        printf 'ok     %4d s  %s\n' "$(($(date +%s) - began))" "$(tail -n 1 "$log" | cut -c 1-60)"
    else
        printf 'FAILED %4d s\n' "$(($(date +%s) - began))"
        cat "$log"
        exit 1
    fi
done
