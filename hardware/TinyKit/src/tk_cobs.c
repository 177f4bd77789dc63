#include "tk_cobs.h"

tk_status tk_cobs_encode(const uint8_t *in, size_t length, uint8_t *out, size_t capacity, size_t *written)
{
    size_t at = 1;    /* where the next byte goes */
    size_t group = 0; /* where the length of the open group goes */
    uint8_t code = 1; /* its value so far */
    *written = 0;
    if (capacity < 1) return TK_ERR_BUFFER;
    for (size_t i = 0; i < length; i++) {
        if (in[i] != 0) {
            if (at >= capacity) return TK_ERR_BUFFER;
            out[at++] = in[i];
            code++;
        }
        /* A full group needs no zero after it, so none is opened when the input ends here. */
        if (in[i] == 0 || (code == 0xFF && i + 1 < length)) {
            out[group] = code;
            if (at >= capacity) return TK_ERR_BUFFER;
            group = at++;
            code = 1;
        }
    }
    out[group] = code;
    *written = at;
    return TK_OK;
}

tk_status tk_cobs_decode(uint8_t *bytes, size_t length, size_t *decoded)
{
    size_t from = 0, to = 0;
    *decoded = 0;
    if (length == 0) return TK_ERR_FRAME;
    while (from < length) {
        uint8_t code = bytes[from++];
        if (code == 0 || (size_t)(code - 1) > length - from) return TK_ERR_FRAME;
        for (uint8_t i = 1; i < code; i++) {
            if (bytes[from] == 0) return TK_ERR_FRAME;
            bytes[to++] = bytes[from++];
        }
        if (code != 0xFF && from < length) bytes[to++] = 0;
    }
    *decoded = to;
    return TK_OK;
}
