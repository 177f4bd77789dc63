/* tk_batch_decide: the decision rule over a whole stream in one call, for the host. The firmware leaves it out. */
#ifndef TK_BATCH_DECIDE_H
#define TK_BATCH_DECIDE_H

#include "tk_decide.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of the work space that tk_batch_decide() needs. */
size_t tk_batch_decide_bytes(void);

/* Push `answers` answers of `labels` int8 each, one after the other in `values`, given at `times_us`,
 * once for each of `thresholds` thresholds (of 65535, the same for all labels). `announced` gets, row
 * after row of `answers`, the label announced or TK_UNSURE; `smoothed`, which may be NULL, the means of
 * `labels` each. A label's announcements depend on no other label's threshold, so those of a rule with
 * a threshold per label are found in the rows of its thresholds. Errors as tk_decide_init(). */
tk_status tk_batch_decide(void *work, uint32_t labels, uint8_t smoothing, uint16_t suppression_ms,
                          const uint16_t *threshold, size_t thresholds, const int8_t *values,
                          const uint64_t *times_us, size_t answers, int8_t *announced, uint8_t *smoothed);

#ifdef __cplusplus
}
#endif
#endif
