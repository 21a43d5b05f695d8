#include "data/hdf_driver.h"

#include "base/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#if H5_VERSION_GE(1, 14, 0)
#include <H5FDdevelop.h>
#endif

struct file {
  H5FD_t head; /* HDF5's, first */
  int descriptor;
  haddr_t end;  /* of what is allocated */
  haddr_t size; /* of the file, as HDF5 believes */
  dev_t device;
  ino_t number;
  struct dun_hdf_trouble *trouble; /* the caller's */
};

static const H5FD_class_t driver;

static void keep(struct file *file, int error)
{
  if (file->trouble->error == 0)
    file->trouble->error = error;
}

/* ---- opening ----------------------------------------------------------------------------- */

static int open_descriptor(const char *name, unsigned flags, struct stat *status)
{
  int mode = flags & H5F_ACC_RDWR ? O_RDWR | O_NOFOLLOW : O_RDONLY, descriptor;
  if (flags & H5F_ACC_CREAT)
    mode |= O_CREAT;
  if (flags & H5F_ACC_TRUNC)
    mode |= O_TRUNC;
  if (flags & H5F_ACC_EXCL)
    mode |= O_EXCL;
  descriptor = open(name, mode | O_CLOEXEC | O_NONBLOCK, 0666);
  if (descriptor < 0 || (fstat(descriptor, status) == 0 && S_ISREG(status->st_mode)))
    return descriptor;
  close(descriptor);
  return -1;
}

static H5FD_t *open_file(const char *name, unsigned flags, hid_t access_list, haddr_t most)
{
  struct dun_hdf_trouble *const *trouble = H5Pget_driver_info(access_list);
  struct stat status;
  int descriptor = trouble ? open_descriptor(name, flags, &status) : -1;
  struct file *file = descriptor < 0 ? NULL : calloc(1, sizeof *file);
  (void)most;
  if (file) {
    file->descriptor = descriptor;
    file->size = (haddr_t)status.st_size;
    file->device = status.st_dev;
    file->number = status.st_ino;
    file->trouble = *trouble;
  } else if (descriptor >= 0)
    close(descriptor);
  return (H5FD_t *)file;
}

static herr_t close_file(H5FD_t *head)
{
  struct file *file = (struct file *)head;
  if (close(file->descriptor) < 0 && errno != EINTR)
    keep(file, errno);
  free(file);
  return 0;
}

static int compare(const H5FD_t *first, const H5FD_t *second)
{
  const struct file *a = (const struct file *)first, *b = (const struct file *)second;
  if (a->device != b->device)
    return a->device < b->device ? -1 : 1;
  return a->number == b->number ? 0 : a->number < b->number ? -1 : 1;
}

static herr_t query(const H5FD_t *head, unsigned long *flags)
{
  (void)head;
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
           H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

static herr_t get_handle(H5FD_t *head, hid_t access_list, void **handle)
{
  (void)access_list;
  *handle = ((struct file *)head)->trouble;
  return 0;
}

/* ---- sizes ------------------------------------------------------------------------------- */

static haddr_t get_end(const H5FD_t *head, H5FD_mem_t type)
{
  (void)type;
  return ((const struct file *)head)->end;
}

static herr_t set_end(H5FD_t *head, H5FD_mem_t type, haddr_t end)
{
  (void)type;
  ((struct file *)head)->end = end;
  return 0;
}

static haddr_t get_size(const H5FD_t *head, H5FD_mem_t type)
{
  (void)type;
  return ((const struct file *)head)->size;
}

static herr_t cut(H5FD_t *head, hid_t transfer, hbool_t closing)
{
  struct file *file = (struct file *)head;
  (void)transfer;
  (void)closing;
  if (file->end != file->size && ftruncate(file->descriptor, (off_t)file->end) < 0)
    keep(file, errno);
  file->size = file->end;
  return 0;
}

/* ---- bytes ------------------------------------------------------------------------------- */

static herr_t read_bytes(H5FD_t *head, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t size,
                         void *buffer)
{
  struct file *file = (struct file *)head;
  char *to = buffer;
  (void)type;
  (void)transfer;
  for (int tries = 0; size > 0;) {
    ssize_t got = pread(file->descriptor, to, size, (off_t)at);
    if (got < 0 && errno != EINTR && ++tries == 3) {
      keep(file, errno);
      return -1;
    }
    if (got == 0) {
      memset(to, 0, size); /* behind the end, as HDF5's own drivers do */
      return 0;
    }
    to += got > 0 ? got : 0;
    at += got > 0 ? (haddr_t)got : 0;
    size -= got > 0 ? (size_t)got : 0;
  }
  return 0;
}

/* Whether what was written is there. */
static int is_there(struct file *file, haddr_t at, size_t size, const char *bytes)
{
  char piece[1 << 14];
  for (size_t n; size > 0; at += n, bytes += n, size -= n) {
    n = size < sizeof piece ? size : sizeof piece;
    if (read_bytes(&file->head, H5FD_MEM_DEFAULT, H5P_DEFAULT, at, n, piece) < 0 ||
        memcmp(piece, bytes, n) != 0)
      return 0;
  }
  return 1;
}

static herr_t write_bytes(H5FD_t *head, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t size,
                          const void *buffer)
{
  struct file *file = (struct file *)head;
  const char *from = buffer;
  (void)type;
  (void)transfer;
  if (at + size > file->size)
    file->size = at + size;
  while (size > 0 && file->trouble->error == 0) {
    ssize_t put = pwrite(file->descriptor, from, size, (off_t)at);
    if (put == 0 || (put < 0 && errno != EINTR))
      keep(file, put < 0 ? errno : ENOSPC);
    else if (put > 0) {
      from += put;
      at += (haddr_t)put;
      size -= (size_t)put;
    }
  }
  size_t written = (size_t)(from - (const char *)buffer);
  if (file->trouble->error == 0 && !is_there(file, at - written, written, buffer))
    keep(file, EIO);
  return 0;
}

/* ---- the driver -------------------------------------------------------------------------- */

static const H5FD_class_t driver = {
#if H5_VERSION_GE(1, 14, 0)
    .version = H5FD_CLASS_VERSION,
    .value = (H5FD_class_value_t)511,
#endif
    .name = "dunlin",
    .maxaddr = ((haddr_t)1 << 62) - 1,
    .fc_degree = H5F_CLOSE_WEAK,
    .fapl_size = sizeof(struct dun_hdf_trouble *),
    .open = open_file,
    .close = close_file,
    .cmp = compare,
    .query = query,
    .get_eoa = get_end,
    .set_eoa = set_end,
    .get_eof = get_size,
    .get_handle = get_handle,
    .read = read_bytes,
    .write = write_bytes,
    .truncate = cut,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

struct dun_hdf_trouble *dun_hdf_drive(hid_t access_list)
{
  struct dun_hdf_trouble *trouble = dun_allocate(1, sizeof *trouble);
  if (!trouble)
    return NULL;
  trouble->driver = H5FDregister(&driver);
  if (trouble->driver >= 0 && H5Pset_driver(access_list, trouble->driver, &trouble) >= 0)
    return trouble;
  dun_hdf_undrive(trouble);
  return NULL;
}

void dun_hdf_undrive(struct dun_hdf_trouble *trouble)
{
  if (trouble && trouble->driver >= 0)
    H5FDunregister(trouble->driver);
  dun_free(trouble);
}

void dun_hdf_leave(struct dun_hdf_trouble *trouble)
{
  static struct dun_hdf_trouble *left; /* where leak checkers find them */
  if (!trouble)
    return;
  trouble->next = left;
  left = trouble;
}

struct dun_hdf_trouble *dun_hdf_trouble_of(hid_t handle)
{
  void *trouble = NULL;
  return H5Fget_vfd_handle(handle, H5P_DEFAULT, &trouble) < 0 ? NULL : trouble;
}
