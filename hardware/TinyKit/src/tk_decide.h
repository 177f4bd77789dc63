/* tk_decide: from answers to decisions.
 *
 * An answer is one int8 a label; q + 128, 0 to 255, is read as a probability of 255. Answers are
 * averaged over the last `smoothing` of them (over as many as there are, at the start). The label
 * with the highest mean (the first of equals) is decided if its mean reaches its threshold, exactly:
 *
 *     sum * 257 >= threshold * answers
 *
 * with sum of at most 255 * answers. A decided label is announced, unless the same label was
 * announced less than `suppression_ms` before; another label is announced at once.
 */
#ifndef TK_DECIDE_H
#define TK_DECIDE_H

#include "tk_pipeline.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TK_UNSURE (-1)

/* Caller-owned, about 2 KB. */
typedef struct tk_decide {
    tk_rule rule;
    uint8_t labels;
    uint8_t count;                                       /* answers held, up to rule.smoothing */
    uint8_t next;                                        /* where the next one goes */
    uint8_t answers[TK_SMOOTHING_MAX * TK_LABELS_MAX];
    uint16_t sum[TK_LABELS_MAX];
    bool announced[TK_LABELS_MAX];
    uint64_t announced_us[TK_LABELS_MAX];
} tk_decide;

typedef struct tk_decision {
    int8_t label;                      /* decided label, or TK_UNSURE */
    bool announce;                     /* to be announced now */
    uint8_t smoothed[TK_LABELS_MAX];   /* mean, rounded, of 255 */
} tk_decision;

/* Begin with no answers. TK_ERR_ARGUMENT: the rule or the number of labels is out of range. */
tk_status tk_decide_init(tk_decide *decide, const tk_rule *rule, uint32_t labels);

/* Take an answer of `labels` int8 for a window that ended at `time_us`. */
void tk_decide_push(tk_decide *decide, const int8_t *answer, uint64_t time_us, tk_decision *decision);

#ifdef __cplusplus
}
#endif
#endif
