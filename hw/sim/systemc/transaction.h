/* SPDX-License-Identifier: Apache-2.0 */
/* A burst on its way: a payload with its bytes, and the pool that it comes from and returns to when
 * the last module lets go of it. */
#ifndef TSR_HW_SIM_SYSTEMC_TRANSACTION_H
#define TSR_HW_SIM_SYSTEMC_TRANSACTION_H

#include "hw/sim/systemc/tessera_tlm.h"

struct tessera::transaction : tlm::tlm_generic_payload {
  explicit transaction(tlm::tlm_mm_interface *pool)
      : tlm_generic_payload(pool), burst(new tessera_burst)
  {
    set_extension(burst); /* which the payload frees */
  }

  tessera_burst *burst;
  tsr_flight *flight = nullptr;
  bool completed = false; /* by the target, in the call that brought the request */
  std::vector<uint8_t> data;
};

class tessera::pool : public tlm::tlm_mm_interface
{
public:
  transaction &take()
  {
    if (spare_.empty()) {
      all_.emplace_back(new transaction(this));
      spare_.push_back(all_.back().get());
    }
    transaction *t = spare_.back();
    spare_.pop_back();
    t->acquire();
    return *t;
  }
  void free(tlm::tlm_generic_payload *t) override
  {
    spare_.push_back(static_cast<transaction *>(t));
  }

private:
  std::vector<std::unique_ptr<transaction>> all_;
  std::vector<transaction *> spare_;
};

#endif
