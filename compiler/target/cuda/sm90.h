/* SPDX-License-Identifier: Apache-2.0 */
/* What LLVM's intrinsics lack of PTX, as inline assembly: mbarriers, tensor copies, clusters, wgmma.
 * Addresses in shared memory are i32, of the block's own window; so are all counts. */
#ifndef TSR_TARGET_CUDA_SM90_H
#define TSR_TARGET_CUDA_SM90_H

#include "compiler/target/llvm/emit.h"

/* One piece of assembly with side effects that all threads of a warp reach together, or none.
 * result NULL: none. */
LLVMValueRef cuda__asm(struct llvm__emit *e, LLVMTypeRef result, const char *text,
                       const char *constraints, int n, LLVMValueRef *arg);

LLVMValueRef cuda__special(struct llvm__emit *e, const char *name); /* "tid.x" */
/* v of lane 0, which the assembler then knows to be the same in the whole warp. */
LLVMValueRef cuda__uniform(struct llvm__emit *e, LLVMValueRef v);
/* v of the thread whose number differs in this bit. */
LLVMValueRef cuda__trade(struct llvm__emit *e, LLVMValueRef v, int bit);
LLVMValueRef cuda__shared_base(struct llvm__emit *e); /* of dynamic memory, aligned to 1024 */

/* --- variables and control: LLVM's mem2reg makes values of them ------------------------------- */

LLVMValueRef cuda__get(struct llvm__emit *e, LLVMValueRef variable);
void cuda__set(struct llvm__emit *e, LLVMValueRef variable, LLVMValueRef value);

/* for (; *variable < to; *variable += step): between begin and end. */
struct cuda__loop {
  LLVMBasicBlockRef head, done;
  LLVMValueRef variable, step;
};
struct cuda__loop cuda__loop_begin(struct llvm__emit *e, LLVMValueRef variable, LLVMValueRef to,
                                   LLVMValueRef step);
void cuda__loop_end(struct llvm__emit *e, const struct cuda__loop *loop);

/* if (condition): what follows, up to cuda__end_if(). */
LLVMBasicBlockRef cuda__if(struct llvm__emit *e, LLVMValueRef condition);
void cuda__end_if(struct llvm__emit *e, LLVMBasicBlockRef done);

/* --- mbarriers ---------------------------------------------------------------------------------- */

void cuda__barrier_init(struct llvm__emit *e, LLVMValueRef barrier, int arrivals);
/* Makes barriers known to the copy engine and to the cluster, before the first sync. */
void cuda__barriers_ready(struct llvm__emit *e);
/* One arrival, which also announces so many bytes of copies. */
void cuda__barrier_expect(struct llvm__emit *e, LLVMValueRef barrier, LLVMValueRef bytes);
/* An arrival of each thread for which the condition holds; rank: at the barrier at the same place of that
 * block of the cluster, NULL: of this block. */
void cuda__barrier_arrive(struct llvm__emit *e, LLVMValueRef barrier, LLVMValueRef rank,
                          LLVMValueRef condition);
/* Until the phase of this parity has ended. */
void cuda__barrier_wait(struct llvm__emit *e, LLVMValueRef barrier, LLVMValueRef parity);

/* --- copies -------------------------------------------------------------------------------------- */

void cuda__map_prefetch(struct llvm__emit *e, LLVMValueRef map);
/* A box of a tensor to shared memory; its bytes are counted by the barrier. blocks: a mask of the blocks
 * of the cluster that all get the box at this place, and whose barriers at this place count it; 0: this one. */
void cuda__copy_box(struct llvm__emit *e, LLVMValueRef to, LLVMValueRef map, int rank,
                    LLVMValueRef *index, LLVMValueRef barrier, int blocks);

/* n words side by side, 2, 4 or 8, aligned to as many up to 4, where the condition holds. */
void cuda__global_store(struct llvm__emit *e, LLVMValueRef condition, LLVMValueRef pointer, int n,
                        LLVMValueRef *word);

/* This warpgroup's registers of each thread from here on; it gives up what is more, or waits for it. */
void cuda__registers(struct llvm__emit *e, bool more, int count);

/* --- blocks and clusters ------------------------------------------------------------------------- */

/* Barrier `name`, 0 to 15, of so many threads of a block: those that go on at once, and those that wait. */
void cuda__block_arrive(struct llvm__emit *e, LLVMValueRef name, int threads);
void cuda__block_sync(struct llvm__emit *e, LLVMValueRef name, int threads);
void cuda__warp_sync(struct llvm__emit *e);
/* All threads of the cluster have come here. */
void cuda__cluster_meet(struct llvm__emit *e);
/* The same, and what each wrote to memory is seen by all: that waits for stores. */
void cuda__cluster_sync(struct llvm__emit *e);
/* An address in shared memory as that of the same place in another block. */
LLVMValueRef cuda__cluster_address(struct llvm__emit *e, LLVMValueRef address, LLVMValueRef rank);
/* Four 32-bit values side by side. */
void cuda__shared_store4(struct llvm__emit *e, LLVMValueRef address, LLVMTypeRef type,
                         LLVMValueRef *value);
void cuda__cluster_load4(struct llvm__emit *e, LLVMValueRef address, LLVMTypeRef type,
                         LLVMValueRef *value);

#endif
