# Warnings and sanitizers of our own code, on a target that every module links and nobody installs.
add_library(heft_flags INTERFACE)
add_library(heft::flags ALIAS heft_flags)
target_compile_options(heft_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror=switch
  # Reproducible arithmetic: a*b+c is fused only where the source says so.
  -ffp-contract=off)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # False alarms of g++ 12 inside std::string (GCC bug 105651).
  target_compile_options(heft_flags INTERFACE -Wno-restrict)
endif()
if(HEFT_WERROR)
  target_compile_options(heft_flags INTERFACE -Werror)
endif()
if(HEFT_SANITIZE)
  string(REPLACE "," ";" kinds "${HEFT_SANITIZE}")
  target_compile_options(heft_flags INTERFACE -fsanitize=${HEFT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(heft_flags INTERFACE -fsanitize=${HEFT_SANITIZE})
endif()
if(HEFT_FUZZ)
  target_compile_options(heft_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
