# Tables of openness and the embedded model's record go into the library as they are.
set(heft_openness_folder ${CMAKE_CURRENT_LIST_DIR})
configure_file(${heft_openness_folder}/embedded.S.in openness_embedded.S @ONLY)
set_source_files_properties(${CMAKE_CURRENT_BINARY_DIR}/openness_embedded.S PROPERTIES OBJECT_DEPENDS
  "${heft_openness_folder}/components.yaml;${heft_openness_folder}/licences.yaml;${PROJECT_SOURCE_DIR}/models/tiny/openness.yaml")
target_sources(heft_govern PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/openness_embedded.S)
