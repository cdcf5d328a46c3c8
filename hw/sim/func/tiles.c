/* SPDX-License-Identifier: Apache-2.0 */
#include "hw/sim/func/tiles.h"
enum tsr__path tsr__best_path(void) { return TSR__PLAIN; }
struct tsr__tiles *tsr__tiles_new(struct tsr_arena *arena, const struct tsr_design *design)
{ (void)arena; (void)design; return NULL; }
void tsr__tiles_inp(struct tsr_func *func, uint32_t first, uint64_t count)
{ (void)func; (void)first; (void)count; }
void tsr__tiles_wgt(struct tsr_func *func, uint32_t first, uint64_t count)
{ (void)func; (void)first; (void)count; }
void tsr__tiles_inp_written(struct tsr_func *func, const struct tsr_insn *insn)
{ (void)func; (void)insn; }
