/* SPDX-License-Identifier: Apache-2.0 */
/* What came of a run: stacked outputs, and how they compare with what was expected. */
#ifndef TSR_TOOLS_OUTCOME_H
#define TSR_TOOLS_OUTCOME_H

#include "tools/cli.h"

enum { MOST_EXPECTED = 16, MOST_ACTIVITIES = 64 };

struct expectation {
  int output;
  const char *path;
  struct tessera_tensor tensor;
  double step;                          /* of the output's quantization; 0: not known */
  struct tessera_comparison comparison;
  bool within; /* --tolerance */
};

struct outcome {
  int outputs;
  int64_t inferences;
  struct tessera_tensor *output; /* all inferences along dim 0 */
  double seconds;
  bool checked;                  /* --check ran and found every layer equal */
  bool coded; /* machine code ran layers on the CPU: their floats are nearly the interpreter's */
  bool timing_only;              /* there are no outputs */
  struct tessera_counters counters;
  const char *wave; /* the waveform's file, or NULL */
  int activities;   /* 0: the device has no time */
  struct tessera_activity activity[MOST_ACTIVITIES];
  int expectations;
  struct expectation expected[MOST_EXPECTED];
  double tolerance;
  struct tessera_tensor label;   /* --labels */
  int64_t labels, right;         /* labels 0: not asked for */
};

/* Refuses paths of --output that cannot be written, and names that the model does not have. */
int outcome_can_write(const struct cli *cli, const struct tessera_model *model);
/* Memory for the outputs of that many inferences. */
int outcome_open(const struct cli *cli, const struct tessera_model *model, int64_t inferences,
                 struct outcome *out);
void outcome_close(struct outcome *outcome);
/* Takes the session's outputs as those of inference i. */
void outcome_take(struct outcome *outcome, const struct tessera_model *model,
                  const struct tessera_session *session, int64_t i);

/* What the device has counted. */
void outcome_count(struct outcome *outcome, const struct tessera_session *session);

/* Reads the files of --expect and --labels and refuses those that do not fit the outputs. */
int outcome_expect(const struct cli *cli, const struct tessera_model *model,
                   struct outcome *outcome);
/* Compares with them, once all outputs are taken. */
int outcome_compare(const struct cli *cli, struct outcome *outcome);
/* --output. */
int outcome_write(const struct cli *cli, const struct tessera_model *model,
                  const struct outcome *outcome);
int outcome_status(const struct outcome *outcome); /* 0 or EXIT_MISMATCH */

/* report.c */
void report_text(const struct tessera_model *model, const struct outcome *outcome);
void report_json(const struct cli *cli, const struct tessera_model *model, const char *device,
                 const struct outcome *outcome);

#endif
