#include "tk_typed.h"

#include <string.h>

#include "tk_protocol.h"

static const struct {
    const char *text;
    uint8_t word, sensor;
} words[] = {
    {"text", TK_TYPED_TEXT, TK_SENSOR_IMU},
    {"text imu", TK_TYPED_TEXT, TK_SENSOR_IMU},
    {"text mic", TK_TYPED_TEXT, TK_SENSOR_MIC},
    {"text environment", TK_TYPED_TEXT, TK_SENSOR_ENVIRONMENT},
    {"stop", TK_TYPED_STOP, 0},
    {"AT+STARTDATAFWD", TK_TYPED_TEXT, TK_SENSOR_IMU},
    {"AT+STOPDATAFWD", TK_TYPED_STOP, 0},
};

static tk_typed_word find(tk_typed *typed)
{
    for (uint32_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strlen(words[i].text) != typed->length || memcmp(words[i].text, typed->line, typed->length) != 0) continue;
        if (words[i].word == TK_TYPED_TEXT) typed->sensor = words[i].sensor;
        return (tk_typed_word)words[i].word;
    }
    return TK_TYPED_NOTHING;
}

tk_typed_word tk_typed_push(tk_typed *typed, uint8_t byte)
{
    tk_typed_word word = TK_TYPED_NOTHING;
    if (byte == '\r' || byte == '\n') {
        if (!typed->frame) word = find(typed);
        typed->length = 0;
    } else if (byte < ' ' || byte > '~') {
        typed->frame = byte != 0;
        typed->length = 0;
    } else if (typed->length < TK_TYPED_MAX) {
        typed->line[typed->length++] = (char)byte;
    } else {
        typed->length = TK_TYPED_MAX + 1u;
    }
    return word;
}
