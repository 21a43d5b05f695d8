/* tier: long */
/* All spectra of images by windows beside known ones, to .002; run by itself it prints them. */
#include "spectra.h"

static void spectra_are_known(void)
{
  spectra(0, SAMPLERS);
}

TEST_MAIN({"spectra_are_known", spectra_are_known})
