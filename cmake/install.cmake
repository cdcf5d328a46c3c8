# SPDX-License-Identifier: Apache-2.0
# cmake --install: the command, one static library, its header, files for CMake and pkg-config.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# The project's own libraries that a target needs, itself included.
function(tsr_needed target out)
  set(found ${${out}})
  if(target IN_LIST found OR NOT TARGET ${target})
    return()
  endif()
  list(APPEND found ${target})
  get_target_property(needs ${target} INTERFACE_LINK_LIBRARIES)
  foreach(need IN LISTS needs)
    tsr_needed(${need} found)
  endforeach()
  set(${out} ${found} PARENT_SCOPE)
endfunction()

# Every folder's library in one: libtessera.a.
set(parts "")
tsr_needed(tsr_runtime parts)
set(script "CREATE ${CMAKE_BINARY_DIR}/libtessera.a\n")
foreach(part IN LISTS parts)
  string(APPEND script "ADDLIB $<TARGET_FILE:${part}>\n")
endforeach()
string(APPEND script "SAVE\nEND\n")
file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/libtessera.mri CONTENT "${script}")
add_custom_command(
  OUTPUT ${CMAKE_BINARY_DIR}/libtessera.a
  COMMAND ${CMAKE_AR} -M < ${CMAKE_BINARY_DIR}/libtessera.mri
  DEPENDS ${parts} ${CMAKE_BINARY_DIR}/libtessera.mri
  COMMENT "Merging libtessera.a"
  VERBATIM)
add_custom_target(libtessera ALL DEPENDS ${CMAKE_BINARY_DIR}/libtessera.a)

configure_package_config_file(cmake/tesseraConfig.cmake.in ${CMAKE_BINARY_DIR}/tesseraConfig.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tessera
                              PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/tesseraConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
# From the folder of tessera.pc to the prefix, so that an installed tree may be moved.
file(RELATIVE_PATH TESSERA_PC_UP /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/tessera.pc.in ${CMAKE_BINARY_DIR}/tessera.pc @ONLY)

configure_file(cmake/tessera-cpu.pc.in ${CMAKE_BINARY_DIR}/tessera-cpu.pc @ONLY)

install(TARGETS tsr_cpu tsr_llvm ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS tessera RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${CMAKE_BINARY_DIR}/libtessera.a DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES runtime/tessera.h runtime/tessera_cpu.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${CMAKE_BINARY_DIR}/tesseraConfig.cmake ${CMAKE_BINARY_DIR}/tesseraConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/tessera)
install(FILES ${CMAKE_BINARY_DIR}/tessera.pc ${CMAKE_BINARY_DIR}/tessera-cpu.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
