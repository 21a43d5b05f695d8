#!/bin/bash
# Builds with a preset of CMakePresets.json: release (the default), debug or sanitize.
#
#     jobs/build.sh [PRESET [TARGET]]     leaves the program at build/PRESET/dunlin
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=${1:-release}
target=${2:-all}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! cmake --preset "$preset" </dev/null >"$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi
cmake --build --preset "$preset" --target "$target" </dev/null
