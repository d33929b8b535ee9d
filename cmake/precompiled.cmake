# What most files include and none of them changes, parsed once: a third off compile time. Files
# still include what they use; clang-tidy checks them without this.
if(NOT HEFT_PRECOMPILED)
  return()
endif()

set(heft_precompiled <algorithm> <cmath> <filesystem> <fstream> <functional> <map> <memory>
  <optional> <set> <span> <string> <string_view> <unordered_map> <variant> <vector>
  <fmt/format.h> <simdjson.h>)

# heft_precompile(TARGET HEADER…): an object library that carries them, for REUSE_FROM.
function(heft_precompile target)
  file(CONFIGURE OUTPUT ${target}.cc CONTENT "")
  add_library(${target} OBJECT ${CMAKE_CURRENT_BINARY_DIR}/${target}.cc)
  target_link_libraries(${target} PRIVATE heft::flags simdjson::simdjson fmt::fmt)
  target_precompile_headers(${target} PRIVATE ${ARGN})
  if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
    target_compile_options(${target} PRIVATE -Xclang -fno-pch-timestamp) # as ccache needs it
  endif()
endfunction()

# Of headers that were precompiled, g++ 12 no longer knows that they are the system's, and raises
# false alarms inside std::string; not at -O0.
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  heft_precompile(heft_precompiled ${heft_precompiled})
endif()
if(HEFT_TESTS)
  heft_precompile(heft_precompiled_tests ${heft_precompiled} <gmock/gmock.h> <gtest/gtest.h>)
  # As test programs are compiled: see heft_test().
  set_target_properties(heft_precompiled_tests PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(heft_precompiled_tests PRIVATE -O0 -fPIE)
  target_link_libraries(heft_precompiled_tests PRIVATE GTest::gmock GTest::gtest)
endif()
