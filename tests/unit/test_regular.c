/* ranks: 1 */
/* Each way to open a file refuses what is none by itself, without waiting: a pipe, a folder, a
 * device, a socket, and links to them. */
#include "base/error.h"
#include "check.h"
#include "data/file.h"
#include "data/hdf.h"
#include "io/durable.h"
#include <fcntl.h>
#include <ftw.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char *const none[] = {"pipe",   "folder",    "socket",
                                   "device", "pipe_link", "folder_link"};
enum { NONE = sizeof none / sizeof *none, LINKS = 3 };

static int remove_one(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
  (void)status;
  (void)flag;
  (void)walk;
  return remove(path);
}

static void make_socket(const char *name)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int one = socket(AF_UNIX, SOCK_STREAM, 0);
  strcpy(address.sun_path, name);
  CHECK(bind(one, (struct sockaddr *)&address, sizeof address) == 0);
  close(one);
}

static void begin(char folder[64])
{
  strcpy(folder, "/tmp/dunlin-regular-XXXXXX");
  CHECK(mkdtemp(folder) != NULL && chdir(folder) == 0);
  CHECK(mkfifo("pipe", 0600) == 0 && mkdir("folder", 0700) == 0);
  CHECK(symlink("/dev/zero", "device") == 0 && symlink("pipe", "pipe_link") == 0 &&
        symlink("folder", "folder_link") == 0);
  make_socket("socket");
  alarm(60); /* whoever waits is ended */
}

static void end(const char *folder)
{
  alarm(0);
  CHECK(chdir("/") == 0);
  nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int refused(int code, int status, const char *name)
{
  int good = status == code && strstr(dun_error_text(), name);
  if (!good)
    fprintf(stderr, "%s: %d, '%s'\n", name, status, dun_error_text());
  return good;
}

static void test_durable(void)
{
  char folder[64];
  begin(folder);
  for (int i = 0; i < NONE; i++)
    for (int write = 0; write < 2; write++)
      CHECK(refused(DUN_ERROR_FILE, dun_durable_open(none[i], write), none[i]));
  for (int i = 0; i < LINKS; i++) {
    struct stat status;
    CHECK(refused(DUN_ERROR_FILE, dun_durable_create(none[i], 8), none[i]));
    CHECK(refused(DUN_ERROR_FILE, dun_durable_reserve(none[i], 8), none[i]));
    CHECK(lstat(none[i], &status) == 0 && !S_ISREG(status.st_mode));
  }
  end(folder);
}

/* The link is replaced, and what it leads to stays as it is. */
static void test_links_give_up_their_name(void)
{
  char folder[64];
  struct stat status;
  begin(folder);
  for (int i = LINKS; i < NONE; i++) {
    CHECK(dun_durable_create(none[i], 8) == 0);
    CHECK(lstat(none[i], &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 8);
  }
  CHECK(lstat("pipe", &status) == 0 && S_ISFIFO(status.st_mode));
  end(folder);
}

static void test_data(void)
{
  char folder[64], *bytes;
  int64_t size;
  begin(folder);
  for (int i = 0; i < NONE; i++) {
    CHECK(refused(DUN_ERROR_INPUT, dun_file_open(none[i], &size), none[i]));
    CHECK(refused(DUN_ERROR_INPUT, dun_file_load(none[i], 100, &bytes, &size), none[i]));
    CHECK(bytes == NULL);
  }
  end(folder);
}

static void test_hdf5(void)
{
  char folder[64];
  begin(folder);
  for (int i = 0; i < NONE; i++) {
    CHECK(!dun_hdf_is(none[i]));
    CHECK(refused(DUN_ERROR_INPUT, (int)dun_hdf_open(none[i], 0), none[i]));
    CHECK(refused(DUN_ERROR_FILE, (int)dun_hdf_open(none[i], 1), none[i]));
    CHECK(refused(DUN_ERROR_FILE, (int)dun_hdf_create(none[i]), none[i]));
  }
  end(folder);
}

TEST_MAIN({"durable", test_durable}, {"links", test_links_give_up_their_name}, {"data", test_data},
          {"hdf5", test_hdf5})
