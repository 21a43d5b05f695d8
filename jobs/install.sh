#!/bin/bash
# Installs what is missing of jobs/packages.txt on Debian, and only that.
#
#     jobs/install.sh [--test | --long]     also what only the tests need, or only the long ones
#
# Root installs at once, others through sudo.  Where there is no apt (a cluster with modules), the
# build itself names what it does not find.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

case ${1:-} in
  '') marks= ;;
  --test) marks='test' ;;
  --long) marks='test|long' ;;
  *) echo "usage: jobs/install.sh [--test | --long]" >&2; exit 2 ;;
esac
wanted=$(sed -E -e '/^#/d' -e "s/^\[($marks)\] *//" -e '/^\[/d' "$here/packages.txt")

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "install.sh: no apt here; taking the libraries that the environment provides" >&2
  exit 0
fi

missing=()
for package in $wanted; do
  status=$(dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | head -n 1) || true
  [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

run=()
if [ "$(id -u)" != 0 ]; then
  if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    run=(sudo)
  else
    echo "install.sh: these packages are missing, and installing them takes root:" >&2
    echo "    apt-get install ${missing[*]}" >&2
    exit 1
  fi
fi
echo "Installing ${missing[*]}"
apt() {
  "${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" </dev/null
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { apt update && apt install --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  cat "$log" >&2
  echo "install.sh: apt-get failed, see above" >&2
  exit 1
fi
