/* tk_bytes: little-endian numbers at any address, on any machine. Header only. */
#ifndef TK_BYTES_H
#define TK_BYTES_H

#include <stdint.h>

static inline uint16_t tk_get_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] | (at[1] << 8));
}

static inline uint32_t tk_get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] | ((uint32_t)at[1] << 8) | ((uint32_t)at[2] << 16) | ((uint32_t)at[3] << 24);
}

static inline int32_t tk_get_i32(const uint8_t *at)
{
    uint32_t bits = tk_get_u32(at);
    return bits < 0x80000000u ? (int32_t)bits : -(int32_t)(~bits) - 1;
}

static inline void tk_put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static inline void tk_put_u32(uint8_t *at, uint32_t value)
{
    tk_put_u16(at, (uint16_t)value);
    tk_put_u16(at + 2, (uint16_t)(value >> 16));
}

#endif
