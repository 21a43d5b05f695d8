#!/bin/bash
# Langevin chains along the dilation path on five mixtures, beside plain chains, the geometric path,
# tempering SMC and parallel tempering with as many target evaluations, and beside the figures of a
# reference implementation: installs what is missing, builds, runs, prints tables.
#
#     jobs/dilation_table.sh [--long] [--seed S] [--jobs J] [TARGET ...]
#
# --long adds the columns of 5000 levels and more, and takes minutes.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$top/jobs/environment.sh"

case ${1:-} in
  -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
esac
"$top/jobs/install.sh"
"$top/jobs/build.sh" release dunlin
exec /usr/bin/python3 "$top/analysis/dilation_table.py" "$@"
