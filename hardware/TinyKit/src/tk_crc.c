#include "tk_crc.h"

/* Half a byte at a time: 64 bytes of table instead of 1,024, and still quick enough to check a
 * full slot in about 60 ms. Entry i is the CRC register after shifting out the four bits of i. */
static const uint32_t TABLE[16] = {
    0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u, 0x4DB26158u, 0x5005713Cu,
    0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu, 0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu,
};

uint32_t tk_crc32(uint32_t crc, const void *bytes, size_t length)
{
    const uint8_t *at = (const uint8_t *)bytes;
    crc = ~crc;
    while (length-- > 0) {
        crc ^= *at++;
        crc = TABLE[crc & 15u] ^ (crc >> 4);
        crc = TABLE[crc & 15u] ^ (crc >> 4);
    }
    return ~crc;
}
