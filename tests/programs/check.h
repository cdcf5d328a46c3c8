/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold of a program; the first thing that does not, in a sentence. */
#ifndef TSR_TESTS_PROGRAMS_CHECK_H
#define TSR_TESTS_PROGRAMS_CHECK_H

#include "hw/sim/func/detect.h"
#include "tests/programs/generate.h"

enum verdict {
  FINE,
  NOT_CLEAN,   /* the verifier has a finding on a valid program */
  TRAPPED,     /* the machine stopped */
  REPORTED,    /* the detector has a report on a valid program */
  PATH_BITS,   /* a path of func differs from the reference */
  ORDER_BITS,  /* an order of the engines gives other bits */
  MISSED,      /* the verifier has no finding of the planted defect */
  UNSEEN,      /* the detector has no report of a race that there is */
  DISAGREE     /* the detector has a report, and the verifier no such finding */
};

const char *verdict_text(enum verdict verdict);

enum { CHECK_POINTS = 5, CHECK_ORDERS = 4 };

/* A machine and what runs left behind. */
struct bench {
  struct tsr_design design;
  struct tsr_func *func;
  uint8_t *window, *expected; /* expected: scratchpads and window after the first run */
  size_t state_bytes;
  char text[700];
};

const char *check_point(uint64_t seed); /* the design point of a seed */
enum defect check_defect(uint64_t seed);

void bench_open(struct bench *bench, const char *point);
void bench_close(struct bench *bench);

/* Clean for verifier and detector; the same bits on every path and in CHECK_ORDERS orders. */
enum verdict check_valid(struct bench *bench, const struct tsr_program *program, uint64_t seed);
/* Found; and what the detector finds, the verifier found. */
enum verdict check_planted(struct bench *bench, const struct generated *g, uint64_t seed);

/* A program short of tokens, which may be as good without them. */
bool check_short(const struct generated *g);

/* Whether the verifier has the finding that goes with a defect. */
bool check_found(struct bench *bench, const struct tsr_program *program, enum defect defect);
/* Whether the program comes to its end under one order, with a report of the kind (enum
 * tsr_detect_kind) by the detector. */
bool check_reported(struct bench *bench, const struct tsr_program *program, uint64_t seed,
                    int kind);
/* Whether some order of CHECK_ORDERS ends in other bits than program order, or in a trap. */
bool check_wavers(struct bench *bench, const struct tsr_program *program, uint64_t seed);

#endif
