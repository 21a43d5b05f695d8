# generated/version.h: version, commit and compiler, as results record them.
find_package(Git QUIET)
set(DUNLIN_COMMIT "unknown")
if(GIT_FOUND)
  execute_process(COMMAND ${GIT_EXECUTABLE} -C ${CMAKE_SOURCE_DIR} describe --always --dirty
    OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
  if(status EQUAL 0)
    set(DUNLIN_COMMIT ${commit})
  endif()
endif()
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/version.h @ONLY CONTENT
"#define DUN_VERSION \"${PROJECT_VERSION}\"
#define DUN_COMMIT \"${DUNLIN_COMMIT}\"
#define DUN_COMPILER \"${CMAKE_C_COMPILER_ID} ${CMAKE_C_COMPILER_VERSION}\"
#define DUN_SIMD \"${DUNLIN_WIDTH}\"
")
