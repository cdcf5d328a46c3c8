/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32 as in zlib, PNG and Ethernet: polynomial 0x04c11db7 reflected, ones before and after. */
#ifndef TSR_BASE_CRC32_H
#define TSR_BASE_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* crc: that of the bytes before, 0 where there are none. */
uint32_t tsr_crc32(uint32_t crc, const void *bytes, size_t size);

#endif
