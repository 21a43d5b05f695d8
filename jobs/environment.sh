# Sourced by the scripts here: what a run needs from its surroundings.

# One thread per rank: BLAS and OpenMP would otherwise take every core for each rank.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
# Plain copies through shared memory are the faster ones, and containers forbid the others.
export OMPI_MCA_btl_vader_single_copy_mechanism=none
# mpirun refuses to work for root unless told twice.
if [ "$(id -u)" = 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
