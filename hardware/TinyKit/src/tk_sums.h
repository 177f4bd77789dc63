/* tk_sums: sums over pixels, four channels at a time, for means and average pools. */
#ifndef TK_SUMS_H
#define TK_SUMS_H

#include "tk_quant.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Add `count` int8 of each of four neighbouring channels to `sums`; a pixel's values lie `step` bytes
 * behind the one's before it. */
void tk_sum4(const uint8_t *from, uint32_t step, uint32_t count, int32_t *sums);

#ifdef __cplusplus
}
#endif
#endif
