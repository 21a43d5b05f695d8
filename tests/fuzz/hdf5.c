#include "fuzz/hdf5.h"
#include <string.h>

enum { BLOCKS = 1024, LONGEST = 2048, SUPERBLOCK = 44 };

/* ---- numbers ----------------------------------------------------------------------------- */

static uint64_t draw(uint64_t *state)
{
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static size_t below(uint64_t *state, size_t end)
{
  return end ? (size_t)(draw(state) % end) : 0;
}

static uint32_t turn(uint32_t x, int k)
{
  return x << k | x >> (32 - k);
}

static uint32_t read_four(const uint8_t *bytes, size_t size)
{
  uint8_t padded[4] = {0};
  memcpy(padded, bytes, size < 4 ? size : 4);
  return (uint32_t)padded[0] | (uint32_t)padded[1] << 8 | (uint32_t)padded[2] << 16 |
         (uint32_t)padded[3] << 24;
}

static void write_number(uint8_t *bytes, int width, uint64_t value)
{
  for (int i = 0; i < width; i++)
    bytes[i] = (uint8_t)(value >> 8 * i);
}

/* Bob Jenkins's lookup3, as HDF5 has it. */
static uint32_t checksum(const uint8_t *at, size_t size)
{
  uint32_t a = 0xdeadbeefu + (uint32_t)size, b = a, c = a;
  for (; size > 12; at += 12, size -= 12) {
    a += read_four(at, 4), b += read_four(at + 4, 4), c += read_four(at + 8, 4);
    a -= c, a ^= turn(c, 4), c += b;
    b -= a, b ^= turn(a, 6), a += c;
    c -= b, c ^= turn(b, 8), b += a;
    a -= c, a ^= turn(c, 16), c += b;
    b -= a, b ^= turn(a, 19), a += c;
    c -= b, c ^= turn(b, 4), b += a;
  }
  if (size == 0)
    return c;
  a += read_four(at, size);
  b += size > 4 ? read_four(at + 4, size - 4) : 0;
  c += size > 8 ? read_four(at + 8, size - 8) : 0;
  c ^= b, c -= turn(b, 14);
  a ^= c, a -= turn(c, 11);
  b ^= a, b -= turn(a, 25);
  c ^= b, c -= turn(b, 16);
  a ^= c, a -= turn(c, 4);
  b ^= a, b -= turn(a, 14);
  return (c ^ b) - turn(b, 24);
}

/* ---- blocks ------------------------------------------------------------------------------ */

struct block {
  size_t at, end;   /* end: of what has a meaning, perhaps; there the checksum is, if it has one */
  int kind, sealed; /* index into `signature` */
};

struct file {
  uint8_t *bytes;
  size_t size;
  int blocks;
  size_t place[BLOCKS];
};

static const char signature[][5] = {"OHDR", "OCHK", "BTHD", "BTIN", "BTLF", "FRHP",
                                    "FHDB", "FHIB", "FSHD", "FSSE", "SMTB", "SMLI",
                                    "EAHD", "FAHD", "TREE", "SNOD", "HEAP", "GCOL"};
enum { OBJECT, SEALED_KINDS = 14, KINDS = sizeof signature / sizeof *signature };

static int kind_at(const struct file *file, size_t at)
{
  for (int kind = 0; kind < KINDS; kind++)
    if (!memcmp(file->bytes + at, signature[kind], 4))
      return kind;
  return -1;
}

static void find_blocks(struct file *file)
{
  for (size_t at = 0; at + 8 <= file->size && file->blocks < BLOCKS; at++) {
    uint8_t first = file->bytes[at];
    if (first >= 'B' && first <= 'T' && kind_at(file, at) >= 0)
      file->place[file->blocks++] = at;
  }
}

/* The first place at which a checksum of all before stands. */
static struct block look(const struct file *file, size_t at)
{
  struct block block = {.at = at, .kind = kind_at(file, at)};
  size_t most = file->size - at - 4;
  most = most < LONGEST ? most : LONGEST;
  for (size_t length = 8; length <= most && block.kind < SEALED_KINDS; length++)
    if (read_four(file->bytes + at + length, 4) == checksum(file->bytes + at, length)) {
      block.end = at + length;
      block.sealed = 1;
      return block;
    }
  block.end = at + (most < 256 ? most : 256);
  return block;
}

static struct block superblock(const struct file *file)
{
  struct block block = {.end = file->size < 96 ? file->size : 96, .kind = -1};
  if (file->size > SUPERBLOCK + 4 && file->bytes[8] >= 2)
    block = (struct block){.end = SUPERBLOCK, .kind = -1, .sealed = 1};
  return block;
}

static void seal(const struct file *file, const struct block *block)
{
  if (block->sealed && block->end + 4 <= file->size)
    write_number(file->bytes + block->end, 4,
                 checksum(file->bytes + block->at, block->end - block->at));
}

/* ---- changes ----------------------------------------------------------------------------- */

static uint64_t odd_number(const struct file *file, uint64_t old, uint64_t *state)
{
  switch (below(state, 12)) {
  case 0: return 0;
  case 1: return UINT64_MAX;
  case 2: return (uint64_t)1 << below(state, 64);
  case 3: return ((uint64_t)1 << below(state, 64)) - 1;
  case 4: return file->size - below(state, 9);
  case 5: return old + 1;
  case 6: return old - 1;
  case 7: return old * 2;
  case 8: /* of another block: a link where it does not belong, or a circle */
  case 9: return file->blocks ? file->place[below(state, (size_t)file->blocks)] : old;
  case 10: return below(state, 32);
  default: return draw(state);
  }
}

static void change_field(const struct file *file, size_t from, size_t to, uint64_t *state)
{
  int width = 1 << below(state, 4);
  if (to > file->size || from + (size_t)width > to)
    return;
  size_t at = from + below(state, to - from - (size_t)width + 1);
  uint64_t old = 0;
  for (int i = width - 1; i >= 0; i--)
    old = old << 8 | file->bytes[at + (size_t)i];
  write_number(file->bytes + at, width, odd_number(file, old, state));
}

/* One message of an object header of version 2, with its own head. */
static void change_message(const struct file *file, const struct block *block, uint64_t *state)
{
  int flags = file->bytes[block->at + 5], head = flags & 4 ? 6 : 4, count = 0;
  size_t start[64], at = block->at + 6 + (flags & 32 ? 16 : 0) + (flags & 16 ? 4 : 0) +
                         ((size_t)1 << (flags & 3));
  while (at + (size_t)head <= block->end && count < 63) {
    start[count++] = at;
    at += (size_t)head + (size_t)file->bytes[at + 1] + ((size_t)file->bytes[at + 2] << 8);
  }
  start[count] = at < block->end ? at : block->end;
  size_t which = below(state, (size_t)count);
  if (count > 0)
    change_field(file, start[which] + (below(state, 4) ? (size_t)head : 0), start[which + 1],
                 state);
}

static void change_block(const struct file *file, uint64_t *state)
{
  int own = file->blocks == 0 || below(state, 12) == 0;
  struct block block =
      own ? superblock(file) : look(file, file->place[below(state, (size_t)file->blocks)]);
  for (size_t n = 1 + below(state, 3); n > 0; n--)
    if (block.kind == OBJECT && block.sealed && below(state, 4))
      change_message(file, &block, state);
    else
      change_field(file, block.at + (own ? 8 : 4), block.end, state);
  seal(file, &block);
}

/* What one block says another one says. */
static void copy_block(const struct file *file, uint64_t *state)
{
  if (file->blocks < 2)
    return;
  struct block from = look(file, file->place[below(state, (size_t)file->blocks)]);
  size_t to = file->place[below(state, (size_t)file->blocks)], length = from.end + 4 - from.at;
  if (from.end + 4 <= file->size && to + length <= file->size)
    memmove(file->bytes + to, file->bytes + from.at, length);
}

size_t fuzz_hdf5_change(uint8_t *bytes, size_t size, size_t room, unsigned seed)
{
  struct file file = {.bytes = bytes, .size = size < room ? size : room};
  uint64_t state = seed;
  if (file.size < 16)
    return file.size;
  find_blocks(&file);
  for (size_t n = 1 + below(&state, 3); n > 0; n--)
    if (below(&state, 10) == 0)
      copy_block(&file, &state);
    else
      change_block(&file, &state);
  return below(&state, 40) ? file.size : 16 + below(&state, file.size - 16);
}
