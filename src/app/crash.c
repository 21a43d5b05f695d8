#include "app/crash.h"
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

/* What handlers can reach. */
static struct dun_crash *crash;
static const struct dun_caller *watched;

/* ---- signals ----------------------------------------------------------------------------- */

static void find_array(const char *address)
{
  long page = sysconf(_SC_PAGESIZE);
  for (int i = 0; watched && i < DUN_CALLER_ARRAYS; i++) {
    const struct dun_caller_array *array = &watched->array[i];
    const char *guard =
        array->pages.block ? (const char *)(array->pages.block + array->pages.size) : NULL;
    if (!guard || !array->value || address < guard || address >= guard + page)
      continue;
    crash->array = array->name;
    crash->index = (address - (const char *)array->value) / (long)sizeof(double);
    crash->count = array->count;
  }
}

static void on_crash(int number, siginfo_t *info, void *context)
{
  const char *address = info->si_addr;
#ifdef __x86_64__
  const greg_t *registers = ((const ucontext_t *)context)->uc_mcontext.gregs;
  const char *stack = (const char *)registers[REG_RSP];
  crash->writes = (registers[REG_ERR] & 2) != 0;
  crash->callable = registers[REG_RIP] == (greg_t)address;
  crash->stack = number == SIGSEGV && address < stack + 65536 && address + 65536 > stack;
#else
  (void)context;
#endif
  if (number == SIGSEGV || number == SIGBUS)
    find_array(address);
  crash->number = number;
  signal(number, SIG_DFL);
  raise(number);
}

void dun_crash_catch(struct dun_crash *record)
{
  static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
  static char room[65536];
  stack_t stack = {.ss_sp = room, .ss_size = sizeof room};
  struct rlimit none = {0, 0};
  struct sigaction action;
  crash = record;
  watched = NULL;
  setrlimit(RLIMIT_CORE, &none);
  sigaltstack(&stack, NULL);
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    sigaction(numbers[i], &action, NULL);
}

void dun_crash_watch(const struct dun_caller *caller)
{
  watched = caller;
}

/* ---- exceptions -------------------------------------------------------------------------- */

/* A function of the C++ library, if that is loaded; not every compiler turns a pointer to data into
 * one to a function. */
static void (*library_function(const char *name))(void)
{
  void *library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_NOLOAD);
  void *symbol = library ? dlsym(library, name) : NULL;
  void (*function)(void) = NULL;
  memcpy(&function, &symbol, sizeof function);
  return function;
}

/* Its type's name; std::type_info holds it behind the pointer to its functions. */
static void on_terminate(void)
{
  const char *(*const *(*current)(void))(void);
  char *(*readable)(const char *, char *, size_t *, int *);
  void (*found)(void) = library_function("__cxa_current_exception_type");
  const void *type = NULL;
  const char *name = "of unknown type", *mangled = NULL;
  int status = -1;
  memcpy(&current, &found, sizeof current);
  if (current)
    type = current();
  if (type)
    memcpy(&mangled, (const char *)type + sizeof(void *), sizeof mangled);
  found = library_function("__cxa_demangle");
  memcpy(&readable, &found, sizeof readable);
  if (mangled && readable)
    name = readable(mangled, NULL, NULL, &status);
  snprintf(crash->exception, sizeof crash->exception, "%s",
           status == 0 ? name
           : mangled   ? mangled
                       : "of unknown type");
  abort();
}

void dun_crash_catch_exceptions(void)
{
  void (*(*set)(void (*)(void)))(void);
  void (*found)(void) = library_function("_ZSt13set_terminatePFvvE");
  memcpy(&set, &found, sizeof set);
  if (set)
    set(on_terminate);
}

/* ---- sentences --------------------------------------------------------------------------- */

static void tell_access(const struct dun_crash *record, const char *where, char *sentence,
                        size_t size)
{
  const char *does = record->writes ? "writes" : "reads";
  if (record->array)
    snprintf(sentence, size,
             "%s %s out of bounds: %s[%lld], where the array has %lld numbers (a segmentation "
             "fault)",
             where, does, record->array, record->index, record->count);
  else if (record->stack)
    snprintf(sentence, size,
             "%s needs more stack than there is, by recursion without an end or large arrays (a "
             "segmentation fault)",
             where);
  else
    snprintf(sentence, size, "%s %s where nothing is (a segmentation fault)", where,
             record->callable ? "calls a function" : does);
}

static void tell_signal(const struct dun_crash *record, int number, const char *where,
                        char *sentence, size_t size)
{
  if (*record->exception)
    snprintf(sentence, size, "a C++ exception (%s) leaves %s: catch it there, and return -INFINITY",
             record->exception, where);
  else if (number == SIGSEGV || number == SIGBUS)
    tell_access(record, where, sentence, size);
  else if (number == SIGABRT)
    snprintf(sentence, size, "%s ends the program by abort, or has damaged memory", where);
  else if (number == SIGFPE)
    snprintf(sentence, size, "%s divides a whole number by zero (a floating-point signal)", where);
  else if (number == SIGILL)
    snprintf(sentence, size,
             "%s has an instruction that this processor does not know: was it compiled for "
             "another one (-march)?",
             where);
  else
    snprintf(sentence, size, "%s ended by signal %d (%s)%s", where, number, strsignal(number),
             number == SIGKILL ? ": is there too little memory?" : "");
}

void dun_crash_tell(const struct dun_crash *record, int status, const char *where, char *sentence,
                    size_t size)
{
  if (WIFSIGNALED(status))
    tell_signal(record, WTERMSIG(status), where, sentence, size);
  else
    snprintf(sentence, size, "%s ends the program by exit(%d)", where, WEXITSTATUS(status));
}
