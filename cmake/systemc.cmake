# SPDX-License-Identifier: Apache-2.0
# TESSERA_SYSTEMC: SystemC is installed, and C++ is compiled. Debian's library links with C++17 only.
find_path(SYSTEMC_INCLUDE systemc)
find_library(SYSTEMC_LIBRARY systemc)
set(TESSERA_SYSTEMC OFF)
if(SYSTEMC_INCLUDE AND SYSTEMC_LIBRARY)
  set(TESSERA_SYSTEMC ON)
  enable_language(CXX)
  set(CMAKE_CXX_STANDARD 17)
  set(CMAKE_CXX_STANDARD_REQUIRED ON)
  set(CMAKE_CXX_EXTENSIONS OFF)
else()
  message(STATUS "hw/sim/systemc is left out: SystemC is not installed (Debian's package libsystemc-dev)")
endif()
