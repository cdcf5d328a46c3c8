/* SPDX-License-Identifier: Apache-2.0 */
/* Words of a campaign's command line. */
#ifndef TSR_TESTS_PROGRAMS_WORDS_H
#define TSR_TESTS_PROGRAMS_WORDS_H

#include <stdbool.h>
#include <stdint.h>

/* A decimal number of 64 bits and nothing else. */
bool words_number(const char *text, uint64_t *out);
/* Is it the name of a standing design point? */
bool words_point(const char *name);
/* Prints the usage: where --help is the only word on stdout, exit status 0; else on stderr, 2. */
int words_usage(int argc, char **argv, const char *usage);

#endif
