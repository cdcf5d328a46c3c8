/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX models from a few words of text, and what every test program of this folder includes.
 *
 *   ir 8; opset 13                                    lines end with ';'; these two are the
 * defaults input x f32 1,3,H,8                               a name is a symbolic dim, ? an unknown
 * one const w i64 2,2 1 2 3 4                           '-' for the dims of a scalar node Conv:c1 x
 * w _ -> y group=1 alpha=1.0 mode='edge' pads=[0,1] scales=[1.0,2.0] value=i64{5} node
 * com.microsoft/QLinearAdd a b -> c            '_' is a name left out output y */
#ifndef TSR_TESTS_ONNX_MODEL_TEXT_H
#define TSR_TESTS_ONNX_MODEL_TEXT_H

#include "base/file.h"
#include "compiler/onnx/onnx.h"
#include "compiler/onnx/schema.pb-c.h"
#include "tests/base/cases.h"

Onnx__ModelProto *model_of(struct tsr_arena *a, const char *text);
Onnx__TensorProto *tensor_of(struct tsr_arena *a, const char *name, int onnx_type, int rank,
                             const int64_t *dims);
struct tsr_bytes packed(struct tsr_arena *a, const Onnx__ModelProto *m);

/* Imports "m.onnx" of these bytes, which are copied first, so that a sanitizer sees a step too far.
 */
enum tsr_status import_bytes(struct tsr_arena *a, struct tsr_err *err, struct tsr_bytes bytes,
                             const struct tsr_onnx_options *options, struct tsr_graph **out);
enum tsr_status import_model(struct tsr_arena *a, struct tsr_err *err, const Onnx__ModelProto *m,
                             const struct tsr_onnx_options *options, struct tsr_graph **out);
/* Fails the test unless the import is refused by a sentence of the file that holds this one. */
void expect_refused(struct tsr_arena *a, const Onnx__ModelProto *m,
                    const struct tsr_onnx_options *options, const char *sentence);

#endif
