/* SPDX-License-Identifier: Apache-2.0 */
/* A record as Chrome's trace event JSON. docs/profile.md says what is in it. */
#ifndef TSR_RUNTIME_PROFILE_TRACE_H
#define TSR_RUNTIME_PROFILE_TRACE_H

#include "runtime/profile/record.h"
#include "runtime/tessera.h"

enum { TSR_TRACE_BYTES = 50000000 };

/* Text of at most so many bytes, if merging can make it so. It lives in the arena. */
struct tsr_text tsr_trace_write(struct tsr_arena *arena, const struct tsr_record *record,
                                size_t most_bytes, struct tessera_trace_info *info);

#endif
