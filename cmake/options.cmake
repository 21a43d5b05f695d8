# Language, warnings and floating-point rules.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release or RelWithDebInfo" FORCE)
endif()
set(CMAKE_C_FLAGS_RELEASE "-O3 -g1")

option(DUNLIN_TESTS "Build the tests" ON)
option(DUNLIN_SANITIZE "Address and undefined-behaviour sanitizers" OFF)
option(DUNLIN_FUZZ "Programs for clang's libFuzzer" OFF)
set(DUNLIN_SIMD dispatch CACHE STRING
    "Vector width: dispatch (chosen at run time), or one of x86-64, x86-64-v3, x86-64-v4")

add_library(dunlin_flags INTERFACE)
target_compile_definitions(dunlin_flags INTERFACE _GNU_SOURCE)
# No contraction and no fast-math: the bits must not depend on the compiler's taste.
target_compile_options(dunlin_flags INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith
  -Wcast-qual -Wvla
  -ffp-contract=off -fno-math-errno -fno-trapping-math -fopenmp-simd)

set(DUNLIN_WIDTH ${DUNLIN_SIMD})
if(DUNLIN_SIMD STREQUAL "dispatch" AND (DUNLIN_SANITIZE OR CMAKE_C_COMPILER_ID MATCHES "Clang"))
  # Sanitizers start after the dispatch does, and clang 14 does not link clones across files.
  set(DUNLIN_WIDTH x86-64-v3)
endif()
if(NOT DUNLIN_WIDTH STREQUAL "dispatch")
  target_compile_options(dunlin_flags INTERFACE -march=${DUNLIN_WIDTH})
  target_compile_definitions(dunlin_flags INTERFACE DUN_ONE_WIDTH)
endif()
if(DUNLIN_SANITIZE)
  target_compile_options(dunlin_flags INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(dunlin_flags INTERFACE -fsanitize=address,undefined)
  target_compile_definitions(dunlin_flags INTERFACE DUN_GUARD_MEGABYTES=64)
  if(CMAKE_C_COMPILER_ID MATCHES "Clang")
    target_compile_options(dunlin_flags INTERFACE -Wno-pass-failed) # checks keep loops scalar
  endif()
endif()
if(DUNLIN_FUZZ)
  target_compile_options(dunlin_flags INTERFACE -fsanitize=fuzzer-no-link,float-cast-overflow
    -fno-sanitize-recover=float-cast-overflow)
endif()
