#include "tk_call.h"

#include "tk_bytes.h"
#include "tk_protocol.h"

/* Is there such a sensor? Its rate in mHz and the most samples a frame. */
static tk_status find_sensor(const tk_call *c, uint32_t *rate, uint32_t *most)
{
    const tk_device *device = c->device;
    *rate = *most = 0;
    switch (c->in[0]) {
    case TK_SENSOR_IMU:
        *rate = device->hal->imu_rate_mhz;
        *most = TK_STREAM_SAMPLES;
        break;
    case TK_SENSOR_MIC:
        *rate = device->hal->mic_rate_mhz;
        *most = TK_AUDIO_SAMPLES;
        break;
    case TK_SENSOR_ENVIRONMENT:
        *rate = TK_ENVIRONMENT_RATE_MHZ;
        *most = 1;
        break;
    default: break;
    }
    return tk_device_has_sensor(device, c->in[0]) ? TK_OK : TK_ERR_SENSOR;
}

tk_status tk_call_stream_start(tk_call *c)
{
    tk_device *device = c->device;
    uint32_t own, most;
    if (c->length != 8) return TK_ERR_LENGTH;
    tk_status status = find_sensor(c, &own, &most);
    if (status != TK_OK) return status;
    uint32_t rate = tk_get_u32(c->in + 4);
    c->detail = own;
    if (rate != 0 && rate != own) return TK_ERR_RATE;
    c->detail = most;
    if (c->in[1] < 1 || c->in[1] > most) return TK_ERR_ARGUMENT;
    switch (c->in[0]) {
    case TK_SENSOR_MIC:
        tk_device_start_mic(device);
        tk_audio_start(&device->audio, &device->mic, c->in[1]);
        break;
    case TK_SENSOR_ENVIRONMENT: tk_environment_start(&device->environment); break;
    default: tk_stream_start(&device->stream, &device->history, c->in[1]); break;
    }
    tk_put_u32(c->out, own);
    c->size = 4;
    return TK_OK;
}

static tk_stream *stop(tk_device *device, uint8_t sensor)
{
    tk_stream *stream = sensor == TK_SENSOR_MIC ? &device->audio : &device->stream;
    if (sensor == TK_SENSOR_ENVIRONMENT) {
        stream = &device->environment.stream;
        tk_environment_stop(&device->environment);
    }
    stream->on = false;
    return stream;
}

tk_status tk_call_stream_stop(tk_call *c)
{
    uint32_t rate, most;
    if (c->length != 1) return TK_ERR_LENGTH;
    tk_status status = find_sensor(c, &rate, &most);
    if (status != TK_OK) return status;
    const tk_stream *stream = stop(c->device, c->in[0]);
    tk_put_u32(c->out, stream->sent);
    tk_put_u32(c->out + 4, stream->overruns);
    c->size = 8;
    return TK_OK;
}

tk_status tk_call_text(tk_call *c)
{
    if (c->length != 1 && c->length != 2) return TK_ERR_LENGTH;
    if (c->in[0] != 1) return TK_ERR_ARGUMENT;
    return tk_device_start_text(c->device, c->length == 2 ? c->in[1] : TK_SENSOR_IMU);
}
