/* Strict reading of numbers and words. */
#ifndef DUNLIN_BASE_TEXT_H
#define DUNLIN_BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* All of them: 0 if the whole text is such a value; -1 otherwise, with no sentence set.  Single
 * underscores may stand between digits; an integer is exactly whole and has no leading zeros. */
int dun_text_integer(const char *text, long long *value); /* 65536, 65_536, -3, 6e4 */
int dun_text_number(const char *text, double *value);     /* decimal and finite; no hex, no inf */
int dun_text_flag(const char *text, int *value);          /* true, false */
int dun_text_duration(const char *text, double *seconds); /* 90, 90s, 20min, 3h, 1d; not negative */

/* The index of `word` in "first|second|..."; -1 if it is not among them. */
int dun_words_find(const char *words, const char *word);
/* Copies word number `index` of "first|second|..." and returns 0, or -1 if there is none. */
int dun_words_get(const char *words, int index, char *word, size_t size);

/* Number of single-letter changes and swaps that turn one word into the other; texts of more than
 * 63 letters that differ count as wholly different. */
int dun_text_distance(const char *a, const char *b);

/* The length of the character of valid UTF-8 that a text begins with, 1 for a zero byte; 0 where it
 * is not valid. */
int dun_text_character(const char *text);

/* Writes `word` wherever a sentence holds the word nan or -nan, with what the sentence has room
 * for: printf's word for a number that is not known is none for people. */
void dun_text_tell_nan(char *sentence, size_t size, const char *word);

/* A name that is twice in the list, which is sorted by it; NULL: all are different. */
const char *dun_names_double(int64_t count, const char **names);

/* A growing text; `failed` is set when memory ran out. */
struct dun_text {
  char *text; /* NULL while empty; ends with a zero byte */
  int64_t length, capacity;
  int failed;
};
void dun_text_add(struct dun_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void dun_text_free(struct dun_text *text);
/* Adds `raw` as the inside of a JSON string, escaped. */
void dun_text_add_json(struct dun_text *text, const char *raw);
/* Adds a number as JSON: the shortest decimal that reads back the same; null if not finite. */
void dun_text_add_number(struct dun_text *text, double value);

#endif
