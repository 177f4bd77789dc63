#include "tk_batch_decide.h"

#include <string.h>

/* In the caller's memory: too large for a small stack. */
typedef struct work_space {
    tk_decide decide;
    tk_decision decision;
    tk_rule rule;
} work_space;

size_t tk_batch_decide_bytes(void)
{
    return sizeof(work_space);
}

tk_status tk_batch_decide(void *work, uint32_t labels, uint8_t smoothing, uint16_t suppression_ms,
                          const uint16_t *threshold, size_t thresholds, const int8_t *values,
                          const uint64_t *times_us, size_t answers, int8_t *announced, uint8_t *smoothed)
{
    work_space *w = work;
    for (size_t t = 0; t < thresholds; t++) {
        memset(&w->rule, 0, sizeof w->rule);
        w->rule.threshold = threshold[t];
        w->rule.smoothing = smoothing;
        w->rule.suppression_ms = suppression_ms;
        tk_status status = tk_decide_init(&w->decide, &w->rule, labels);
        if (status != TK_OK) return status;
        for (size_t i = 0; i < answers; i++) {
            tk_decide_push(&w->decide, values + i * labels, times_us[i], &w->decision);
            *announced++ = w->decision.announce ? w->decision.label : TK_UNSURE;
            if (smoothed != NULL && t == 0) memcpy(smoothed + i * labels, w->decision.smoothed, labels);
        }
    }
    return TK_OK;
}
