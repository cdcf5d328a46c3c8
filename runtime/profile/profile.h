/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles: made of a record, written, read back. docs/profile.md defines every number. */
#ifndef TSR_RUNTIME_PROFILE_PROFILE_H
#define TSR_RUNTIME_PROFILE_PROFILE_H

#include "runtime/profile/record.h"
#include "runtime/tessera.h"

/* The record has all runs of an inference. All that the profile reaches lives in the arena, but for
 * texts without an owner. */
struct tessera_profile *tsr_profile_make(struct tsr_arena *arena, const struct tsr_record *record);

/* The least cycles in which DRAM moves so many bytes: what is read, what is written, and both. */
double tsr_profile_memory_cycles(const struct tsr_design *d, uint64_t read, uint64_t written);

/* What a layer takes at the least, whatever its schedule: the engine that computes, or what moves
 * bytes, whichever has more to do. */
double tsr_profile_bound(const struct tsr_design *d, const struct tsr_module_layer *l);

/* before: another profile to compare with, or NULL. */
void tsr_profile_json(struct tsr_text *to, const struct tessera_profile *p);
void tsr_profile_csv(struct tsr_text *to, const struct tessera_profile *p);
void tsr_profile_html(struct tsr_text *to, const struct tessera_profile *p,
                      const struct tessera_profile *before);
/* Refuses text that is no profile, naming what is wrong. */
enum tsr_status tsr_profile_read(struct tsr_arena *arena, struct tsr_err *err, const char *name,
                                 const char *text, size_t size, struct tessera_profile *out);

/* The layer of the same name; NULL: there is none. */
const struct tessera_profile_layer *tsr_profile_layer(const struct tessera_profile *p,
                                                      const char *name);

#endif
