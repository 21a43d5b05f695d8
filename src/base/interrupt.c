#include "base/interrupt.h"
#include "base/clock.h"

/* Between a batch system's warnings and its end are 30 seconds or more, for the checkpoint too. */
static const double PATIENCE = 5;

int dun_interrupt_wished(struct dun_interrupt *interrupt)
{
  double before = interrupt->last;
  int signal = interrupt->signal && *interrupt->signal;
  interrupt->last = dun_clock();
  if (signal && interrupt->asked == 0)
    interrupt->asked = before > 0 ? before : interrupt->last;
  return signal || (interrupt->limit > 0 && interrupt->last >= interrupt->limit);
}

int dun_interrupt_urgent(struct dun_interrupt *interrupt)
{
  if (!dun_interrupt_wished(interrupt))
    return 0;
  return interrupt->limit > 0 && interrupt->last >= interrupt->limit
             ? 1
             : interrupt->last >= interrupt->asked + PATIENCE;
}
