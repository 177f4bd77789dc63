#include <string.h>

#include "tk_protocol.h"
#include "tk_solo.h"

tk_status tk_solo_start_imu(tk_solo *solo, const tk_history *history, uint32_t sensor_mhz)
{
    if (solo->pipeline.sensor != TK_SENSOR_IMU) return TK_ERR_SENSOR;
    return tk_live_start(&solo->live, &solo->pipeline, &solo->pipeline.rule, history, sensor_mhz);
}

bool tk_solo_feel(tk_solo *solo, const tk_history *history, tk_solo_answer *answer)
{
    if (!tk_live_feed(&solo->live, history)) return false;
    tk_imu_quantized(&solo->pipeline.front, solo->live.of.ring, solo->live.first, solo->network.input);
    return tk_solo_answer_now(solo, answer);
}

tk_status tk_solo_check_imu(tk_solo *solo, const tk_solo_check *checks, uint32_t count, tk_solo_checked *checked)
{
    memset(checked, 0, sizeof *checked);
    if (solo->pipeline.sensor != TK_SENSOR_IMU) return TK_ERR_SENSOR;
    for (; count > 0; count--, checks++) {
        uint32_t seed = checks->seed, values = (uint32_t)solo->pipeline.rows * solo->pipeline.channels;
        for (uint32_t i = 0; i < values; i++) solo->live.of.ring[i] = tk_solo_noise(&seed, checks->level);
        tk_imu_quantized(&solo->pipeline.front, solo->live.of.ring, 0, solo->network.input);
        tk_status status = tk_solo_compare(solo, checks, checked);
        if (status != TK_OK) return status;
    }
    return TK_OK;
}
