/* tk_cobs: consistent overhead byte stuffing (Cheshire and Baker, 1999).
 *
 * Rewrites bytes so that no zero is left among them, at a cost of one byte in 254; a zero can then
 * mark where a frame ends, and a reader that lost its way finds the next frame at the next zero.
 */
#ifndef TK_COBS_H
#define TK_COBS_H

#include <stddef.h>
#include <stdint.h>

#include "tk_status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes that the code of n bytes can take at most. */
#define TK_COBS_MAX(n) ((n) + (n) / 254u + 1u)

/* Encode `length` bytes of `in` to `out`, which holds `capacity`; `in` and `out` must not overlap.
 * `*written` gets the size of the code. TK_ERR_BUFFER: it does not fit, nothing useful in `out`. */
tk_status tk_cobs_encode(const uint8_t *in, size_t length, uint8_t *out, size_t capacity, size_t *written);

/* Decode `length` bytes of `bytes` where they are; `*decoded` gets the size of the result.
 * TK_ERR_FRAME: a zero within, or a group that runs past the end. Nothing beyond `length` is read. */
tk_status tk_cobs_decode(uint8_t *bytes, size_t length, size_t *decoded);

#ifdef __cplusplus
}
#endif
#endif
