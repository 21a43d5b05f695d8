# One more of a kind is one new file: src/<kind>s/<name>.c (src/finishes/<name>.c) that defines
# `const struct dun_<kind> dun_<kind>_<name>`.  The registry is written from the file names when
# CMake runs.
set(DUNLIN_REGISTRY ${CMAKE_BINARY_DIR}/generated/registry.c)
set(registry_includes "")
set(registry_externs "")
set(registry_lists "")
set(registry_table "")
foreach(kind target path kernel method finish probe)
  set(room ${kind}s)
  if(kind STREQUAL "finish")
    set(room finishes)
  endif()
  string(TOUPPER ${kind} upper)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${room}/*.c)
  list(SORT files)
  if(kind STREQUAL "target")
    string(APPEND registry_includes "#include \"dunlin/target.h\"\n")
  elseif(kind STREQUAL "method")
    string(APPEND registry_includes "#include \"methods/run.h\"\n")
  else()
    string(APPEND registry_includes "#include \"${room}/${kind}.h\"\n")
  endif()
  string(APPEND registry_lists "static const struct dun_type *const ${kind}s[] = {\n")
  foreach(file ${files})
    get_filename_component(name ${file} NAME_WE)
    file(STRINGS ${file} defined REGEX "^const struct dun_${kind} dun_${kind}_${name} =")
    if(defined)
      string(APPEND registry_externs "extern const struct dun_${kind} dun_${kind}_${name};\n")
      string(APPEND registry_lists "    &dun_${kind}_${name}.type,\n")
    endif()
  endforeach()
  string(APPEND registry_lists "    NULL};\n")
  string(APPEND registry_table "    [DUN_KIND_${upper}] = ${kind}s,\n")
endforeach()
file(CONFIGURE OUTPUT ${DUNLIN_REGISTRY} @ONLY CONTENT
"/* Written by cmake/registry.cmake from the files' names. */
#include \"base/type.h\"
${registry_includes}
${registry_externs}
${registry_lists}
static const struct dun_type *const *const kinds[DUN_KINDS] = {
${registry_table}};

const struct dun_type *const *dun_registry(enum dun_kind kind)
{
  return kinds[kind];
}
")
