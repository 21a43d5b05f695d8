#!/bin/bash
# Installs what is missing, builds, and runs the tests; ends with ctest's summary.
#
#     tests/run.sh             the everyday tier
#     tests/run.sh --long      all: calibration, many kills, other builds, sanitizers, and the
#                              job script where a Slurm controller answers
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top"
cores=$(nproc) # before the next line, since nproc heeds OMP_NUM_THREADS
. jobs/environment.sh

tier=--test
select=(--label-exclude long)
case ${1:-} in
  --long) tier=--long select=() ;;
  '') ;;
  *) echo "usage: tests/run.sh [--long]" >&2; exit 2 ;;
esac

jobs/install.sh $tier
jobs/build.sh release

if [ -z "${DUNLIN_DATA:-}" ] && [ -d "$top/../shared/data" ]; then
  export DUNLIN_DATA=$top/../shared/data
fi
failed=0
if [ $tier = --long ]; then
  # Addresses and undefined behaviour, in all that is not statistics.
  jobs/build.sh sanitize
  ctest --test-dir build/sanitize --output-on-failure -j "$cores" \
    -LE "long|laws|style" </dev/null ||
    failed=1
fi
ctest --test-dir build/release --output-on-failure -j "$cores" "${select[@]}" </dev/null || failed=1
exit $failed
