/* The registers' side of the emulated core, compiled for the host. What a register just keeps, and the
 * clock, is answered here; the rest asks Python, which costs a hundred times as much. Python owns the
 * struct and hands it to unicorn as user data (tinykit/board/virtual/bus.py). */
#include "count.h"
#include "tk_virtual.h"

#define TKV_WORDS 128u /* registers are below TKV_BASE + 4 * TKV_WORDS */
#define TKV_KEPT_READ 1u
#define TKV_KEPT_WRITE 2u

typedef struct tkv_bus {
    const tkv_counter *counter;
    uint32_t (*read)(uint32_t offset);
    void (*write)(uint32_t offset, uint32_t value);
    uint64_t cycles_from; /* the counter's cycles at power-on */
    uint64_t idle_us;     /* time that passed without cycles */
    uint64_t imu_due_us;  /* until then IMU_COUNT holds */
    uint32_t cycles_a_us;
    uint32_t rx_waiting;  /* 0: surely no byte has come */
    uint32_t word[TKV_WORDS];
    uint8_t kept[TKV_WORDS]; /* TKV_KEPT_READ: a read gives `word`; TKV_KEPT_WRITE: a write only sets it */
} tkv_bus;

static uint64_t now_us(const tkv_bus *bus)
{
    return bus->idle_us + (bus->counter->cycles - bus->cycles_from) / bus->cycles_a_us;
}

static int no_sample(const tkv_bus *bus)
{
    return bus->word[TKV_IMU_COUNT / 4] == 0 && now_us(bus) < bus->imu_due_us;
}

uint64_t tkv_bus_read(void *uc, uint64_t offset, unsigned size, void *user)
{
    tkv_bus *bus = (tkv_bus *)user;
    (void)uc;
    (void)size;
    switch (offset) {
    case TKV_TIME_LO: {
        uint64_t now = now_us(bus);
        bus->word[TKV_TIME_HI / 4] = (uint32_t)(now >> 32);
        return (uint32_t)now;
    }
    case TKV_CYCLES: return (uint32_t)bus->counter->cycles;
    case TKV_INSTRUCTIONS: return (uint32_t)bus->counter->instructions;
    case TKV_RX_AVAILABLE:
        if (!bus->rx_waiting) return 0;
        break;
    case TKV_IMU_COUNT:
        if (now_us(bus) < bus->imu_due_us) return bus->word[TKV_IMU_COUNT / 4];
        break;
    default:
        if (offset / 4 < TKV_WORDS && (bus->kept[offset / 4] & TKV_KEPT_READ)) return bus->word[offset / 4];
    }
    return bus->read((uint32_t)offset);
}

void tkv_bus_write(void *uc, uint64_t offset, unsigned size, uint64_t value, void *user)
{
    tkv_bus *bus = (tkv_bus *)user;
    (void)uc;
    (void)size;
    if (offset / 4 < TKV_WORDS && (bus->kept[offset / 4] & TKV_KEPT_WRITE)) {
        bus->word[offset / 4] = (uint32_t)value;
    } else if (offset == TKV_RX_TAKE && !bus->rx_waiting) {
        bus->word[TKV_RX_TAKEN / 4] = 0;
    } else if (offset == TKV_IMU_POP && no_sample(bus)) {
        bus->word[TKV_IMU_POPPED / 4] = 0;
    } else {
        bus->write((uint32_t)offset, (uint32_t)value);
    }
}
