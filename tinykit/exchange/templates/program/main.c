/* main: a sensor's readings in, decisions out, by one pipeline. Made by tinykit. */
#include "pipeline.h"
#include "port.h"
#include "tk_engine.h"
#include "tk_solo_text.h"

static uint8_t arena[PIPELINE_ARENA_BYTES] __attribute__((aligned(16)));
static tk_plan plan;
static tk_engine engine;
static tk_hal hal;
static tk_solo solo;

static uint8_t line[PIPELINE_LINE_BYTES];
static tk_text text = {line, 0, sizeof line};

/* Say what was put into the text since the last time. */
static void say(void)
{
    port_say((const char *)line, text.length);
    text.length = 0;
}

static uint32_t micros(void *context)
{
    (void)context;
    return port_micros();
}

static tk_status run(void *context)
{
    return tk_engine_run((tk_engine *)context);
}

#if PIPELINE_HEARS

static tk_mic sensor;

static size_t mic_read(void *context, int16_t *samples, size_t capacity, uint32_t *index, uint32_t *time_us)
{
    (void)context;
    return port_mic_read(samples, capacity, index, time_us);
}

static void mic_start(void *context)
{
    (void)context;
    port_mic_start();
}

static tk_status check(tk_solo_checked *checked)
{
    hal.mic_read = mic_read;
    hal.mic_start = mic_start;
    hal.mic_rate_mhz = 16000000;
    hal.mic_settle_ms = port_mic_settle_ms();
    tk_mic_init(&sensor, &hal);
    return tk_solo_check_mic(&solo, &sensor, pipeline_checks, PIPELINE_CHECKS, checked);
}

static tk_status start(void)
{
    return tk_solo_start_mic(&solo, &sensor);
}

static bool sense(tk_solo_answer *answer)
{
    (void)tk_mic_tend(&sensor);
    return tk_solo_hear(&solo, &sensor, answer);
}

#else

static tk_history sensor;

static tk_status check(tk_solo_checked *checked)
{
    return tk_solo_check_imu(&solo, pipeline_checks, PIPELINE_CHECKS, checked);
}

static tk_status start(void)
{
    tk_history_init(&sensor);
    return tk_solo_start_imu(&solo, &sensor, port_imu_mhz());
}

static bool sense(tk_solo_answer *answer)
{
    tk_sample sample;
    for (uint32_t i = 0; i < TK_HISTORY_SAMPLES && port_imu_read(&sample); i++) tk_history_push(&sensor, &sample);
    return tk_solo_feel(&solo, &sensor, answer);
}

#endif

static tk_status begin(void)
{
    tk_solo_network network = {&engine, run, NULL, 0, NULL, 0};
    size_t length;
    tk_status status = tk_plan_open(&plan, pipeline_plan, PIPELINE_PLAN_BYTES);
    if (status == TK_OK) status = tk_engine_init(&engine, &plan, arena, sizeof arena);
    if (status != TK_OK) return status;
    network.input = tk_engine_input(&engine, &network.input_bytes);
    network.output = tk_engine_output(&engine, &network.output_bytes);
    const void *section = tk_plan_section(&plan, &length);
    hal.micros = micros;
    return tk_solo_init(&solo, &hal, section, length, &network);
}

static int fail(tk_status status)
{
    tk_text_put(&text, "# stopped: ");
    tk_text_put(&text, tk_status_name(status));
    tk_text_put(&text, ", ");
    tk_text_put(&text, tk_status_meaning(status));
    tk_text_put(&text, "\r\n");
    say();
    return 1;
}

int main(int argc, char **argv)
{
    tk_solo_checked checked;
    tk_solo_answer answer;
    if (!port_begin(argc, argv)) return 1;
    tk_status status = begin();
    if (status == TK_OK) status = check(&checked);
    if (status != TK_OK) return fail(status);
    tk_solo_put_pipeline(&text, &solo.pipeline);
    tk_solo_put_checked(&text, &checked);
    say();
    /* What the checks left in layers with a memory is not the sensor's. */
    status = tk_engine_reset(&engine);
    if (status == TK_OK) status = start();
    if (status != TK_OK) return fail(status);
    while (port_wait()) {
        if (!sense(&answer)) continue;
        if (answer.status != TK_OK) return fail(answer.status);
        tk_solo_put_answer(&text, &solo.pipeline, &answer);
        say();
    }
    return checked.inputs_wrong == 0 && checked.outputs_wrong == 0 ? 0 : 1;
}
