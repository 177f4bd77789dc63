/* mbed's FlashIAP over the virtual flash controller: byte addresses, 4 kB sectors, 4-byte pages.
 * Every function returns 0, or -1 when the controller refused. */
#ifndef VIRTUAL_FLASHIAP_H
#define VIRTUAL_FLASHIAP_H
#include "Arduino.h"

namespace mbed {
class FlashIAP {
  public:
    int init() { return 0; }
    int deinit() { return 0; }
    int read(void *buffer, uint32_t address, uint32_t size) {
        memcpy(buffer, (const void *)(uintptr_t)address, size);
        return 0;
    }
    int program(const void *buffer, uint32_t address, uint32_t size);
    int erase(uint32_t address, uint32_t size);
    uint32_t get_page_size() const { return 4; }
    uint32_t get_sector_size(uint32_t) const { return TKV_FLASH_PAGE; }
    uint32_t get_flash_start() const { return 0; }
    uint32_t get_flash_size() const { return 0x100000u; }
    uint8_t get_erase_value() const { return 0xFF; }
};
} // namespace mbed
#endif
