/* SPDX-License-Identifier: Apache-2.0 */
/* What the SystemC tests share: SystemC elaborates and runs once a process, so that these are no
 * cmocka tests. A failed expectation is a line; the exit status is whether there was any. */
#ifndef TSR_TESTS_SYSTEMC_CHECK_H
#define TSR_TESTS_SYSTEMC_CHECK_H

#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <vector>

#include "hw/sim/systemc/platform/host.h"

extern "C" {
#include "hw/sim/cycle/cycle.h"
#include "tests/programs/generate.h"
}

class checks
{
public:
  __attribute__((format(printf, 3, 4))) void expect(bool good, const char *format, ...)
  {
    count_++;
    if (good)
      return;
    va_list args;
    va_start(args, format);
    std::vprintf(format, args);
    va_end(args);
    std::puts("");
    failed_++;
  }
  int end() const
  {
    std::printf("%d of %d expectations failed\n", failed_, count_);
    return failed_ || !count_;
  }

private:
  int count_ = 0, failed_ = 0;
};

/* The cycle model alone, which is what all else is compared with. */
class alone
{
public:
  alone(const tsr_design &design, const tsr_dram_options &dram, uint64_t window_bytes)
      : window_(window_bytes)
  {
    tsr_cycle_options options = tsr_cycle_defaults(&design);
    tsr_err err;
    options.dram = dram;
    if (tsr_cycle_open(nullptr, &err, &design, &options, window_.data(), window_.size(), &model_))
      std::abort();
  }
  ~alone()
  {
    tsr_cycle_close(model_);
  }
  alone(const alone &) = delete;
  alone &operator=(const alone &) = delete;

  void place(uint64_t program)
  {
    tsr_cycle_place(model_, program, window_.data(), window_.size());
  }
  void reset()
  {
    tsr_cycle_reset(model_);
  }
  const tsr_run_result &run(const tsr_program &program)
  {
    std::memset(window_.data(), 0, window_.size());
    if (program.data_bytes)
      std::memcpy(window_.data(), program.data, program.data_bytes);
    tsr_cycle_run(model_, program.insns, program.insn_count, &result_);
    return result_;
  }
  const std::vector<uint8_t> &window() const
  {
    return window_;
  }

private:
  std::vector<uint8_t> window_;
  tsr_cycle *model_ = nullptr;
  tsr_run_result result_{};
};

inline tsr_design open_point(const char *point)
{
  tsr_design design;
  tsr_err err;
  if (tsr_design_parse(&err, point, tsr_design_json(point), &design))
    std::abort();
  return design;
}

#endif
