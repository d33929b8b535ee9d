#!/usr/bin/env bash
# Installs a build into a folder of its own, builds the stranger's project against it, runs it.
# usage: run.sh BUILD_DIR SOURCE_DIR CXX CC
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$1" --prefix "$work/prefix" >/dev/null
# The promised headers and nothing else.
diff <(ls "$work/prefix/include/heft") <(ls "$2/include/heft")
cmake -G Ninja -S "$2/tests/install" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix" \
  -DCMAKE_CXX_COMPILER="$3" -DCMAKE_C_COMPILER="$4" >/dev/null
cmake --build "$work/build" >/dev/null
cpp=$("$work/build/story")
c=$("$work/build/story_c")
echo "$cpp"
[[ -n $cpp && $cpp == "$c" ]]
