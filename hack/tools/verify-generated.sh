#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Regenerates everything that is generated and fails if a file changed by it.
# Arguments: the files and folders that hold generated files.
set -euo pipefail

before=$(mktemp -d)
trap 'rm -rf "$before"' EXIT

snapshot() { # copies those of the paths "$@" that exist
  local path
  for path in "$@"; do
    [[ -e $path ]] || continue
    mkdir -p "$before/$(dirname "$path")"
    cp -R "$path" "$before/$(dirname "$path")/"
  done
}

compare() { # is every path as it was?
  local path status=0
  for path in "$@"; do
    [[ -e $path || -e $before/$path ]] || continue
    if [[ ! -e $path ]]; then
      echo "removed: $path"
      status=1
    elif [[ ! -e $before/$path ]]; then
      echo "new: $path"
      status=1
    else
      # git diff --no-index compares folders too and needs no commit.
      git --no-pager diff --no-index --exit-code -- "$before/$path" "$path" || status=1
    fi
  done
  return "$status"
}

snapshot "$@"
make generate manifests docs chart
if ! compare "$@"; then
  {
    echo
    echo "verify: generated files were out of date. They are up to date now:"
    echo "look at them and commit them. By hand: make generate manifests docs chart"
  } >&2
  exit 1
fi
