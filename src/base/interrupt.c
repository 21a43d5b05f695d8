#include "base/interrupt.h"
#include "base/clock.h"

/* Most pieces end within it; whoever asked may kill soon after. */
static const double PATIENCE = .1;

int dun_interrupt_wished(struct dun_interrupt *interrupt)
{
  double before = interrupt->last;
  int signal = interrupt->signal && *interrupt->signal;
  interrupt->last = dun_clock();
  if (signal && interrupt->asked == 0)
    interrupt->asked = before > 0 ? before : interrupt->last;
  return signal || (interrupt->limit > 0 && interrupt->last >= interrupt->limit);
}

static int is_due(const struct dun_interrupt *interrupt)
{
  return interrupt->due > 0 && interrupt->last >= interrupt->due;
}

int dun_interrupt_pauses(struct dun_interrupt *interrupt)
{
  return dun_interrupt_wished(interrupt) || is_due(interrupt);
}

int dun_interrupt_urgent(struct dun_interrupt *interrupt, int kept)
{
  if (kept)
    return dun_interrupt_pauses(interrupt);
  if (!dun_interrupt_wished(interrupt))
    return 0;
  return interrupt->limit > 0 && interrupt->last >= interrupt->limit
             ? 1
             : interrupt->last >= interrupt->asked + PATIENCE;
}
