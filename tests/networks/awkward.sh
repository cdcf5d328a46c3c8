#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# awkward.sh TESSERA FOLDER POINT: the zoo's awkward network, batch 1 and 2, at a design point: every layer gives
# the interpreter's bits, and nothing but conversions at its ends is the CPU's.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
tessera=$1 folder=$2 point=$3
mkdir -p "$folder"
for name in awkward awkward2; do
  /usr/bin/python3 "$here/bench/zoo/zoo.py" --form int8 --out "$folder" "$name" >/dev/null
  "$tessera" run "$folder/$name.int8.onnx" --random 1 --check --config "$point" -O0 >"$folder/$name.txt"
  grep -q '^check: every layer gave' "$folder/$name.txt"
  if awk '$4 == "cpu" && $2 !~ /^(Quantize|Dequantize)Linear$|^(Pack|Unpack|Reshape)$/ { print; n++ } END { exit !n }' \
    "$folder/$name.txt"; then
    exit 1
  fi
done
