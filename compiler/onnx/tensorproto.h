/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX TensorProto files (.pb): one tensor with a name. */
#ifndef TSR_COMPILER_ONNX_TENSORPROTO_H
#define TSR_COMPILER_ONNX_TENSORPROTO_H

#include "base/file.h"
#include "base/tensor.h"

/* Reads a serialized TensorProto, whichever field its data is in; float16 and bfloat16 are widened
 * to f32. `name` starts every sentence. tensor_name (may be NULL) gets the tensor's own name, ""
 * where it has none. External data is refused. Everything lives in the arena; on an error *out is
 * untouched. */
enum tsr_status tsr_tensorproto_read(struct tsr_arena *arena, struct tsr_err *err, const char *name,
                                     const uint8_t *bytes, size_t size, struct tsr_tensor *out,
                                     const char **tensor_name);

/* The serialized TensorProto, its data as raw_data. tensor_name may be NULL. */
struct tsr_bytes tsr_tensorproto_write(struct tsr_arena *arena, const struct tsr_tensor *t,
                                       const char *tensor_name);

#endif
