#include "tk_solo.h"

#include <string.h>

#include "tk_crc.h"

tk_status tk_solo_init(tk_solo *solo, const tk_hal *hal, const void *section, size_t length,
                       const tk_solo_network *network)
{
    memset(solo, 0, sizeof *solo);
    solo->hal = hal;
    solo->network = *network;
    tk_status status = tk_pipeline_parse(&solo->pipeline, section, length);
    if (status != TK_OK) return status;
    size_t input = (size_t)solo->pipeline.rows * solo->pipeline.features;
    return network->input_bytes == input && network->output_bytes == solo->pipeline.label_count ? TK_OK : TK_ERR_SHAPE;
}

bool tk_solo_answer_now(tk_solo *solo, tk_solo_answer *answer)
{
    tk_live *live = &solo->live;
    const tk_hal *hal = solo->hal;
    uint32_t start = hal->micros(hal->context);
    answer->number = live->number++;
    answer->output = solo->network.output;
    answer->status = solo->network.run(solo->network.context);
    answer->run_us = hal->micros(hal->context) - start;
    solo->time_us += live->last_us - (uint32_t)solo->time_us;
    answer->time_ms = (uint32_t)(solo->time_us / 1000u);
    if (answer->status != TK_OK) return true;
    tk_decide_push(&live->decide, solo->network.output, solo->time_us, &answer->decision);
    return true;
}

tk_status tk_solo_compare(tk_solo *solo, const tk_solo_check *check, tk_solo_checked *checked)
{
    const tk_solo_network *network = &solo->network;
    uint32_t before = checked->most, most = 0;
    checked->windows++;
    if (tk_crc32(0, network->input, network->input_bytes) != check->input_crc32) checked->inputs_wrong++;
    tk_status status = network->run(network->context);
    if (status != TK_OK) return status;
    for (size_t i = 0; i < network->output_bytes; i++) {
        int difference = network->output[i] - check->output[i];
        uint32_t size = (uint32_t)(difference < 0 ? -difference : difference);
        if (size > most) most = size;
    }
    if (most > 0) checked->outputs_wrong++;
    checked->most = most > before ? most : before;
    return TK_OK;
}
