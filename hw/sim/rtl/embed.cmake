# SPDX-License-Identifier: Apache-2.0
# cmake -D OUT=FILE.c -D ROOT=FOLDER -D "FILES=a;b" -P embed.cmake: files as C strings, each under
# the name that it is included by: its path from ROOT, but a generated header's own name.
set(rows "")
foreach(file IN LISTS FILES)
  file(READ "${file}" text)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "?" "\\?" text "${text}")
  string(REPLACE "\n" "\\n\"\n   \"" text "${text}")
  file(RELATIVE_PATH name "${ROOT}" "${file}")
  if(name MATCHES "generated/")
    get_filename_component(name "${file}" NAME)
  endif()
  string(APPEND rows "  {\"${name}\",\n   \"${text}\"},\n")
endforeach()
file(WRITE "${OUT}" "/* Made by embed.cmake; changes here are lost. */
#include \"hw/sim/rtl/sources.h\"

const struct tsr__rtl_source tsr__rtl_sources[] = {
${rows}  {0, 0},
};
")
