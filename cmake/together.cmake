# HEFT_TOGETHER: files of a library that define no name twice are compiled as one translation unit,
# which parses what they include, and instantiates templates, once: half the time of a whole build.
# For builds from nothing, such as CI's; where one file changes, compiling it alone is quicker.
if(HEFT_TOGETHER)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
endif()

function(heft_compile_together target files)
  if(NOT HEFT_TOGETHER)
    return()
  endif()
  execute_process(COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/scripts/batches.py 16
    ${PROJECT_SOURCE_DIR}/src ${files}
    OUTPUT_VARIABLE batches OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE ";" "|" batches "${batches}")
  string(REPLACE "\n" ";" batches "${batches}")
  set(number 0)
  foreach(batch IN LISTS batches)
    string(REPLACE "|" ";" batch "${batch}")
    set_source_files_properties(${batch} PROPERTIES UNITY_GROUP batch${number})
    math(EXPR number "${number} + 1")
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU) # it takes the joined files for headers
    target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
  endif()
endfunction()
