/* tk_crc: CRC-32 as in zlib, PNG and Ethernet (polynomial 0x04C11DB7 reflected, start and end ~0). */
#ifndef TK_CRC_H
#define TK_CRC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Checksum of `length` bytes. `crc` is 0, or what an earlier call gave for the bytes before these,
 * so that tk_crc32(tk_crc32(0, a, n), b, m) is the checksum of a and b together.
 * About 12 cycles a byte on a Cortex-M4; its table costs 64 bytes. */
uint32_t tk_crc32(uint32_t crc, const void *bytes, size_t length);

#ifdef __cplusplus
}
#endif
#endif
