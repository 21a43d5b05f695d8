# Every library Dunlin needs; a missing one is named with the Debian package that brings it.
function(dunlin_missing what package)
  message(FATAL_ERROR "${what} was not found. On Debian: apt-get install ${package}")
endfunction()

find_package(PkgConfig)
if(NOT PKG_CONFIG_FOUND)
  dunlin_missing("pkg-config" "pkg-config")
endif()

set(MPI_C_SKIP_MPICXX ON)
find_package(MPI 3.1 COMPONENTS C)
if(NOT MPI_C_FOUND)
  dunlin_missing("An MPI library (3.1 or newer)" "libopenmpi-dev openmpi-bin")
endif()

set(HDF5_PREFER_PARALLEL ON) # without it a serial libhdf5-dev wins
find_package(HDF5 1.10 COMPONENTS C HL)
if(NOT HDF5_FOUND OR NOT HDF5_IS_PARALLEL)
  dunlin_missing("Parallel HDF5 (1.10 or newer)" "libhdf5-openmpi-dev")
endif()

find_package(ZLIB)
if(NOT ZLIB_FOUND)
  dunlin_missing("zlib" "zlib1g-dev")
endif()

set(BLA_VENDOR OpenBLAS) # by name: openblas_set_num_threads is needed
find_package(BLAS)
unset(BLA_VENDOR)
if(NOT BLAS_FOUND)
  dunlin_missing("OpenBLAS" "libopenblas-dev")
endif()
find_package(LAPACK)
if(NOT LAPACK_FOUND)
  dunlin_missing("LAPACK" "liblapack-dev")
endif()

find_library(SCALAPACK NAMES scalapack-openmpi scalapack) # its CMake files name wrong paths
if(NOT SCALAPACK)
  dunlin_missing("ScaLAPACK" "libscalapack-openmpi-dev")
endif()

pkg_check_modules(YAML IMPORTED_TARGET yaml-0.1)
if(NOT YAML_FOUND)
  dunlin_missing("libyaml" "libyaml-dev")
endif()

pkg_check_modules(FFTW IMPORTED_TARGET fftw3)
if(NOT FFTW_FOUND)
  dunlin_missing("FFTW 3" "libfftw3-dev")
endif()
find_library(FFTW_MPI fftw3_mpi) # its MPI part has no pkg-config file
find_path(FFTW_MPI_INCLUDE fftw3-mpi.h)
if(NOT FFTW_MPI OR NOT FFTW_MPI_INCLUDE)
  dunlin_missing("FFTW 3 for MPI" "libfftw3-mpi-dev")
endif()

add_library(dunlin_dependencies INTERFACE)
target_link_libraries(dunlin_dependencies INTERFACE dunlin_flags MPI::MPI_C hdf5::hdf5_hl hdf5::hdf5
  ZLIB::ZLIB ${SCALAPACK} LAPACK::LAPACK BLAS::BLAS ${FFTW_MPI} PkgConfig::FFTW PkgConfig::YAML
  ${CMAKE_DL_LIBS} m)

if(DUNLIN_TESTS)
  find_path(RANDOM123_INCLUDE Random123/philox.h)
  if(NOT RANDOM123_INCLUDE)
    dunlin_missing("Random123 (for its known answers in the tests)" "librandom123-dev")
  endif()
endif()
