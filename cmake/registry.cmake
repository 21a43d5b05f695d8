# One more of a kind is one new file: <kind>s/<name>.c (finishes, processes; of networks
# learning) below src that defines
# `const struct dun_<kind> dun_<kind>_<name>`.  The registry is written from the file names when
# CMake runs.  Tests have types of their own below tests/types, beside those of src.
function(dunlin_registry output)
  set(includes "")
  set(externs "")
  set(lists "")
  set(table "")
  foreach(kind target path kernel method finish probe process field observation
                network)
    set(room ${kind}s)
    if(kind STREQUAL "finish" OR kind STREQUAL "process")
      set(room ${kind}es)
    elseif(kind STREQUAL "network") # beside what teaches them
      set(room learning)
    endif()
    string(TOUPPER ${kind} upper)
    set(names "")
    foreach(root ${ARGN})
      file(GLOB files CONFIGURE_DEPENDS ${root}/${room}/*.c)
      foreach(file ${files})
        get_filename_component(name ${file} NAME_WE)
        file(STRINGS ${file} defined REGEX "^const struct dun_${kind} dun_${kind}_${name} =")
        if(defined)
          list(APPEND names ${name})
        endif()
      endforeach()
    endforeach()
    list(SORT names)
    if(kind STREQUAL "target")
      string(APPEND includes "#include \"dunlin/target.h\"\n")
    elseif(kind STREQUAL "method")
      string(APPEND includes "#include \"methods/run.h\"\n")
    elseif(names)
      string(APPEND includes "#include \"${room}/${kind}.h\"\n")
    endif()
    string(APPEND lists "static const struct dun_type *const ${kind}s[] = {\n")
    foreach(name ${names})
      string(APPEND externs "extern const struct dun_${kind} dun_${kind}_${name};\n")
      string(APPEND lists "    &dun_${kind}_${name}.type,\n")
    endforeach()
    string(APPEND lists "    NULL};\n")
    string(APPEND table "    [DUN_KIND_${upper}] = ${kind}s,\n")
  endforeach()
  file(CONFIGURE OUTPUT ${output} @ONLY CONTENT
"/* Written by cmake/registry.cmake from the files' names. */
#include \"base/type.h\"
${includes}
${externs}
${lists}
static const struct dun_type *const *const kinds[DUN_KINDS] = {
${table}};

const struct dun_type *const *dun_registry(enum dun_kind kind)
{
  return kinds[kind];
}
")
endfunction()

set(DUNLIN_REGISTRY ${CMAKE_BINARY_DIR}/generated/registry.c)
dunlin_registry(${DUNLIN_REGISTRY} ${CMAKE_SOURCE_DIR}/src)
