/* What a file is that was expected to be text, or something else: told by its first bytes. */
#ifndef DUNLIN_DATA_FORMAT_H
#define DUNLIN_DATA_FORMAT_H

/* "a gzip file; unpack it with gunzip": what the bytes begin like and what to do about it; NULL if
 * they may be plain text in UTF-8 for all that is known. */
const char *dun_format_find(const char *bytes, long long size);

#endif
