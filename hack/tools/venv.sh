#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Makes bin/venv, the virtual environment that the Python SDK is tested and checked in, of
# the versions that sdk/python/requirements-dev.txt pins, and prints its path. Where it is
# there and the pins and Python are the same, it does nothing. PYTHON chooses the
# interpreter: 3.11 or later, for so old are the oldest that the pins know. The SDK itself
# runs on older ones.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

python=${PYTHON:-python3}
pins=sdk/python/requirements-dev.txt
venv=$PWD/bin/venv

fail() {
  printf 'venv: %s\n' "$@" >&2
  exit 1
}

command -v "$python" >/dev/null ||
  fail "there is no $python; install Python 3.11 or later (Debian: apt-get install python3 python3-venv), or set PYTHON"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "$("$python" --version) is too old for the tools: install Python 3.11 or later, or name one by PYTHON=python3.13"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
  fail "$python cannot make virtual environments; install its module venv (Debian and Ubuntu: apt-get install python3-venv)"

key="$("$python" -c 'import sys; print(sys.version, sys.executable)') $(cksum <"$pins")"
mkdir -p bin
# Tests and a person may want it at the same time.
exec 9>bin/.venv.lock
if command -v flock >/dev/null; then flock 9; fi
if [[ ! -e $venv/pins || $(<"$venv/pins") != "$key" ]]; then
  echo 'Making bin/venv: the first time takes a minute' >&2
  rm -rf "$venv"
  "$python" -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r "$pins" >&2
  printf '%s\n' "$key" >"$venv/pins" # last: it is whole
fi
echo "$venv"
