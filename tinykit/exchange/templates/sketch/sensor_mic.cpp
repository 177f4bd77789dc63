#include "sensor.h"

#include <PDM.h>

#include "model.h"
#include "src/tk_schedule.h"

static tk_mic mic;
static tk_hal hal;
static tk_schedule schedule;

/* The driver has two buffers of 16 ms, and stops without a word when one is not read before the next is
 * full. So it is read where that can't be late: in the driver's own callback, in an interrupt, into a queue
 * of blocks from which the loop takes them. The queue needs no lock: the callback alone moves `head`, the
 * loop alone `tail`, each after its data. One block is always left free for the callback: when the loop is
 * late, what is read there is lost, not the microphone, and the next block's index shows it. */
#define BLOCKS 32u   /* half a second: a network runs without a break */
#define SAMPLES 256u /* in one of the driver's buffers */

static struct {
    uint32_t index;   /* of the first sample */
    uint32_t time_us; /* when that was taken */
    uint32_t count;
    int16_t sample[SAMPLES];
} blocks[BLOCKS];
static uint32_t head, tail; /* blocks ever put in and taken out */
static uint32_t used;       /* samples of the oldest block that were taken */
static bool started;

/* The driver does not count either: buffers are numbered by when they come. */
static void on_sound()
{
    uint32_t now = head, waiting = now - __atomic_load_n(&tail, __ATOMIC_ACQUIRE);
    auto &block = blocks[now % BLOCKS];
    int bytes = PDM.read(block.sample, sizeof block.sample);
    if (bytes < 2) return;
    block.count = (uint32_t)bytes / 2;
    tk_schedule_reading(&schedule, micros(), block.count * 125u / 2u, 1);
    block.index = schedule.index * block.count;
    block.time_us = schedule.time_us - block.count * 125u / 2u;
    if (waiting < BLOCKS - 1) __atomic_store_n(&head, now + 1, __ATOMIC_RELEASE);
}

static size_t read_sound(void *, int16_t *samples, size_t capacity, uint32_t *index, uint32_t *time_us)
{
    uint32_t now = tail;
    if (now == __atomic_load_n(&head, __ATOMIC_ACQUIRE)) return 0;
    const auto &block = blocks[now % BLOCKS];
    uint32_t rest = block.count - used;
    uint32_t n = rest < capacity ? rest : (uint32_t)capacity;
    memcpy(samples, block.sample + used, 2 * n);
    *index = block.index + used;
    *time_us = block.time_us + used * 125u / 2u; /* 62.5 us a sample */
    used += n;
    if (used == block.count) {
        used = 0;
        __atomic_store_n(&tail, now + 1, __ATOMIC_RELEASE);
    }
    return n;
}

static void start_sound(void *)
{
    if (started) PDM.end();
    started = true;
    PDM.onReceive(on_sound);
    PDM.begin(1, 16000); /* should it fail, nothing comes, and tk_mic tries again */
}

static uint32_t now_us(void *)
{
    return micros();
}

const tk_hal *sensor_hal()
{
    hal.micros = now_us;
    hal.mic_read = read_sound;
    hal.mic_start = start_sound;
    hal.mic_rate_mhz = 16000000;
    hal.mic_settle_ms = 3500; /* what comes before that can't be trusted */
    return &hal;
}

tk_status sensor_check(tk_solo *solo, tk_solo_checked *checked)
{
    tk_mic_init(&mic, sensor_hal());
    return tk_solo_check_mic(solo, &mic, model_checks, MODEL_CHECKS, checked);
}

const char *sensor_begin(tk_solo *solo)
{
    return tk_solo_start_mic(solo, &mic) == TK_OK ? NULL : "the network does not listen";
}

const char *sensor_name()
{
    return "MP34DT06, which needs 3.5 s to settle";
}

bool sensor_answer(tk_solo *solo, tk_solo_answer *answer)
{
    (void)tk_mic_tend(&mic);
    return tk_solo_hear(solo, &mic, answer);
}
