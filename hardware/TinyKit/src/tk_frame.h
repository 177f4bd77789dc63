/* tk_frame: whole messages on a stream of bytes that may lose or change some.
 *
 * On the wire: 0x00, COBS(type, seq, payload, crc32), 0x00. The CRC is zlib's over type, seq and
 * payload, little-endian. A frame that fails any check is dropped and counted, never passed on.
 * hardware/PROTOCOL.md has the messages, hardware/vectors.json has examples byte by byte.
 */
#ifndef TK_FRAME_H
#define TK_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tk_cobs.h"
#include "tk_status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TK_FRAME_PAYLOAD 512u                          /* most bytes of payload */
#define TK_FRAME_RAW (TK_FRAME_PAYLOAD + 6u)           /* with type, seq and CRC */
#define TK_FRAME_CODED TK_COBS_MAX(TK_FRAME_RAW)       /* after COBS */
#define TK_FRAME_WIRE (TK_FRAME_CODED + 2u)            /* with a zero on each side */

typedef struct tk_frame {
    uint8_t type;
    uint8_t seq;
    uint16_t length;        /* bytes of payload, 0 to TK_FRAME_PAYLOAD */
    const uint8_t *payload; /* in the decoder's buffer: valid until the next byte is pushed */
} tk_frame;

/* Build one frame into `wire`, which holds `capacity` bytes (TK_FRAME_WIRE is always enough).
 * `raw` is scratch for TK_FRAME_RAW bytes; `payload` may already lie at raw + 2.
 * TK_ERR_LENGTH: payload too long. TK_ERR_BUFFER: `wire` is too small. */
tk_status tk_frame_encode(uint8_t type, uint8_t seq, const uint8_t *payload, size_t length, uint8_t *raw,
                          uint8_t *wire, size_t capacity, size_t *written);

/* Collects bytes until a frame is whole. All zero is a valid start. */
typedef struct tk_decoder {
    uint8_t buffer[TK_FRAME_CODED];
    uint16_t length;  /* bytes since the last zero */
    bool overflow;    /* more came than any frame has: drop up to the next zero */
    uint32_t damaged; /* runs of bytes between zeros that were not a whole frame */
} tk_decoder;

void tk_decoder_init(tk_decoder *decoder);

/* Take one byte. True when it completes a whole frame with the right CRC, which is then in `frame`. */
bool tk_decoder_push(tk_decoder *decoder, uint8_t byte, tk_frame *frame);

#ifdef __cplusplus
}
#endif
#endif
