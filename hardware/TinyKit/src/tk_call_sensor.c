#include "tk_call.h"

#include "tk_bytes.h"
#include "tk_protocol.h"

/* Is there such a sensor? */
static tk_status find_sensor(const tk_call *c)
{
    const tk_hal *hal = c->device->hal;
    if (c->in[0] == TK_SENSOR_IMU) return hal->imu_read != NULL ? TK_OK : TK_ERR_SENSOR;
    return c->in[0] == TK_SENSOR_MIC && hal->mic_read != NULL ? TK_OK : TK_ERR_SENSOR;
}

tk_status tk_call_stream_start(tk_call *c)
{
    tk_device *device = c->device;
    if (c->length != 8) return TK_ERR_LENGTH;
    tk_status status = find_sensor(c);
    if (status != TK_OK) return status;
    bool sound = c->in[0] == TK_SENSOR_MIC;
    uint32_t rate = tk_get_u32(c->in + 4), own = sound ? device->hal->mic_rate_mhz : device->hal->imu_rate_mhz;
    c->detail = own;
    if (rate != 0 && rate != own) return TK_ERR_RATE;
    c->detail = sound ? TK_AUDIO_SAMPLES : TK_STREAM_SAMPLES;
    if (c->in[1] < 1 || c->in[1] > c->detail) return TK_ERR_ARGUMENT;
    if (sound) {
        tk_device_start_mic(device);
        tk_audio_start(&device->audio, &device->mic, c->in[1]);
    } else {
        tk_stream_start(&device->stream, &device->history, c->in[1]);
    }
    tk_put_u32(c->out, own);
    c->size = 4;
    return TK_OK;
}

tk_status tk_call_stream_stop(tk_call *c)
{
    if (c->length != 1) return TK_ERR_LENGTH;
    tk_status status = find_sensor(c);
    if (status != TK_OK) return status;
    tk_stream *stream = c->in[0] == TK_SENSOR_MIC ? &c->device->audio : &c->device->stream;
    stream->on = false;
    tk_put_u32(c->out, stream->sent);
    tk_put_u32(c->out + 4, stream->overruns);
    c->size = 8;
    return TK_OK;
}

tk_status tk_call_text(tk_call *c)
{
    if (c->length != 1) return TK_ERR_LENGTH;
    if (c->in[0] != 1) return TK_ERR_ARGUMENT;
    if (c->device->hal->imu_read == NULL) return TK_ERR_SENSOR;
    tk_device_start_text(c->device);
    return TK_OK;
}
