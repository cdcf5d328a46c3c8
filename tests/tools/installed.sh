#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the build $1 into an empty folder, builds examples/ of the source $2 against it.
set -eu
build=$1 source=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cmake --install "$build" --prefix "$tmp/usr" >"$tmp/log" || { cat "$tmp/log"; exit 1; }
cmake -S "$source/examples" -B "$tmp/out" -DCMAKE_PREFIX_PATH="$tmp/usr" $3 >"$tmp/log" ||
  { cat "$tmp/log"; exit 1; }
cmake --build "$tmp/out" >"$tmp/log" || { cat "$tmp/log"; exit 1; }
! ldd "$tmp/out/classify" | grep LLVM
test -f "$tmp"/usr/include/tessera_cpu.h
"$tmp/out/classify" "$source/models/digits/digits.onnx" "$source/models/digits/images.npy" 3
"$tmp/usr/bin/tessera" info
