#!/bin/bash
# Runs an input on this machine, from nothing to a figure: installs what is missing, builds, runs,
# summarises and draws.
#
#     jobs/local.sh [INPUT] [OPTION of `dunlin run` ...]      INPUT: inputs/seeds.yaml
#
# The result is results/NAME.h5, the figure results/NAME.png.  The same command again goes on from
# the last checkpoint, or, when the result is complete, shows it again; --overwrite starts afresh.
#
#     DUNLIN_RANKS     MPI ranks (2)
#     DUNLIN_RESULTS   folder of the results (results/ of the project)
#     DUNLIN_DATA      folder where inputs look for data files
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$top/jobs/environment.sh"

input=$top/inputs/seeds.yaml
case ${1:-} in
  -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
  '' | -*) ;;
  *) input=$1; shift ;;
esac
[ -f "$input" ] || { echo "local.sh: there is no input $input" >&2; exit 2; }

"$top/jobs/install.sh"
"$top/jobs/build.sh" release dunlin

dunlin=$top/build/release/dunlin
python=/usr/bin/python3
ranks=${DUNLIN_RANKS:-2}
results=${DUNLIN_RESULTS:-$top/results}
name=$(basename "${input%.*}")
result=$results/$name.h5
mkdir -p "$results"

again=--restart
for option in "$@"; do
  [ "$option" != --overwrite ] || again=
done

code=0
mpirun --oversubscribe --bind-to none -n "$ranks" \
  "$dunlin" run "$input" --output "$result" $again "$@" >/dev/null || code=$? # its summary: below
if [ $code = 85 ]; then
  echo "Stopped early with a checkpoint; the same command goes on from there."
fi
[ $code = 0 ] || exit $code

"$dunlin" summary "$result"
if [ -x $python ] && $python -c 'import h5py, matplotlib' 2>/dev/null; then
  $python "$top/analysis/plot_run.py" "$result"
else
  echo "No figure: $python lacks h5py or matplotlib."
fi
