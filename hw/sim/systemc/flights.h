/* SPDX-License-Identifier: Apache-2.0 */
/* The burst port of a cycle model whose memory is somewhere else: bursts go out by a call, and
 * come back when the memory's answer is told.
 *
 * A read moves its beats from the cycle of its answer on, a write from its request on, one a cycle
 * or as the memory says; a write is acknowledged with its answer, or behind its last beat. R moves
 * one burst after the other, in the order of their answers, and those of one ID in that of their
 * addresses. */
#ifndef TSR_HW_SIM_SYSTEMC_FLIGHTS_H
#define TSR_HW_SIM_SYSTEMC_FLIGHTS_H

#include "hw/sim/dram/bursts.h"
#include "hw/sim/dram/dram.h"
#include "hw/sim/dram/limit.h"

/* One burst, from its address to its last beat, or to its acknowledgement. */
struct tsr_flight {
  bool write;
  int id; /* of a read */
  uint64_t addr;
  int beats;
  uint64_t accepted; /* the cycle of its address */
  uint64_t order;
  bool sent;          /* its request is out; else it waits for those before it */
  uint64_t requested; /* the cycle of that */
  bool answered, error;
  uint64_t answer; /* the cycle of it */
  bool timed;      /* the memory has said how its beats move: */
  struct tsr_beats when;
  uint64_t answer_cycles; /* of a write: from its last beat to its acknowledgement, at least */
  int moved;
  void *owner;   /* the sender's */
  uint64_t last; /* of a write with all of its beats: the cycle of the last one */
};

struct tsr_flight_ring {
  struct tsr_flight slots[TSR_DRAM_BURSTS];
  unsigned first, count;
};

struct tsr_flights {
  bool at_once; /* a burst is answered in the call that sends it */
  bool blocked; /* the memory takes no address now */
  struct tsr_limit read_limit, write_limit;
  void (*send)(void *context, struct tsr_flight *flight);
  void (*written)(void *context, struct tsr_flight *flight); /* all beats of a write have moved */
  void *context;
  uint64_t accepted;
  struct tsr_flight_ring reads[TSR_AXI_READ_IDS], writes;
  unsigned writes_full;  /* of these, how many have all of their beats */
  int shown;             /* read ID of the run told last */
  uint64_t acknowledged; /* the cycle of the answer told last */
};

/* Forgets all bursts; `at_once`, the limits, the functions and `context` stay. */
void tsr_flights_clear(struct tsr_flights *flights);
/* No more beats will move: writes that are sent and wait for theirs count as written, since a memory
 * answers no other one before. */
void tsr_flights_end_writes(struct tsr_flights *flights);
struct tsr_burst_port tsr_flights_port(struct tsr_flights *flights);

/* The request has gone out in this cycle. */
void tsr_flight_sent(struct tsr_flight *flight, uint64_t cycle);
/* Behind that, where the memory says how beats move: beat k can move in cycle `when` behind that of
 * the request; and a write's answer_cycles. */
void tsr_flight_timed(struct tsr_flight *flight, const struct tsr_beats *when,
                      uint64_t answer_cycles);
/* The answer is there in this cycle. */
void tsr_flight_answered(struct tsr_flight *flight, uint64_t cycle, bool error);

#endif
