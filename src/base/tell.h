/* The way of every sentence to the terminal.  Names in it may be a stranger's: of files, targets,
 * parameters and labels, verdicts of a result, words of a library; they move no cursor, change no
 * colour and turn no line around. */
#ifndef DUNLIN_BASE_TELL_H
#define DUNLIN_BASE_TELL_H

#include <stdio.h>

/* Control characters but for tabs and ends of lines, those that turn the direction of writing, and
 * what is no UTF-8 become question marks, in place. */
void dun_clean(char *text);

/* fprintf, cleaned, of any length; where there is no memory for that, its first kilobyte. */
void dun_tell(FILE *stream, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Whether something that went to standard output is not there to its end. */
int dun_tell_cut_short(void);

#endif
