#include "tk_frame.h"

#include <string.h>

#include "tk_bytes.h"
#include "tk_crc.h"

tk_status tk_frame_encode(uint8_t type, uint8_t seq, const uint8_t *payload, size_t length, uint8_t *raw,
                          uint8_t *wire, size_t capacity, size_t *written)
{
    size_t coded = 0;
    *written = 0;
    if (length > TK_FRAME_PAYLOAD) return TK_ERR_LENGTH;
    if (capacity < 2) return TK_ERR_BUFFER;
    raw[0] = type;
    raw[1] = seq;
    if (length > 0 && payload != raw + 2) memmove(raw + 2, payload, length);
    tk_put_u32(raw + 2 + length, tk_crc32(0, raw, 2 + length));
    tk_status status = tk_cobs_encode(raw, length + 6, wire + 1, capacity - 2, &coded);
    if (status != TK_OK) return status;
    wire[0] = 0;
    wire[1 + coded] = 0;
    *written = coded + 2;
    return TK_OK;
}

void tk_decoder_init(tk_decoder *decoder)
{
    memset(decoder, 0, sizeof *decoder);
}

static bool complete(tk_decoder *decoder, size_t length, tk_frame *frame)
{
    size_t raw = 0;
    if (tk_cobs_decode(decoder->buffer, length, &raw) != TK_OK) return false;
    if (raw < 6 || raw > TK_FRAME_RAW) return false;
    if (tk_crc32(0, decoder->buffer, raw - 4) != tk_get_u32(decoder->buffer + raw - 4)) return false;
    frame->type = decoder->buffer[0];
    frame->seq = decoder->buffer[1];
    frame->length = (uint16_t)(raw - 6);
    frame->payload = decoder->buffer + 2;
    return true;
}

bool tk_decoder_push(tk_decoder *decoder, uint8_t byte, tk_frame *frame)
{
    if (byte != 0) {
        if (decoder->length < sizeof decoder->buffer) {
            decoder->buffer[decoder->length++] = byte;
        } else {
            decoder->overflow = true;
        }
        return false;
    }
    size_t length = decoder->length;
    bool overflow = decoder->overflow;
    decoder->length = 0;
    decoder->overflow = false;
    if (length == 0) return false; /* two zeros in a row: the end of one frame, the start of the next */
    if (!overflow && complete(decoder, length, frame)) return true;
    decoder->damaged++;
    return false;
}
