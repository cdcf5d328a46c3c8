# SPDX-License-Identifier: Apache-2.0
# tsr_library(NAME SOURCES a.c b.c [NEEDS lib ...]): one folder's static library.
function(tsr_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;NEEDS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC ${ARG_NEEDS})
endfunction()

# tsr_test(NAME [LONG] SOURCES test_x.c [NEEDS lib ...]): one cmocka program, run by ctest in the source
# tree. LONG: takes minutes under sanitizers, which leave it out.
function(tsr_test name)
  cmake_parse_arguments(ARG "LONG" "" "SOURCES;NEEDS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_NEEDS} cmocka m)
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  if(ARG_LONG)
    set_tests_properties(${name} PROPERTIES LABELS long)
  endif()
endfunction()
