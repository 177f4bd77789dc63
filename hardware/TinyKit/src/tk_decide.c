#include "tk_decide.h"

#include <string.h>

tk_status tk_decide_init(tk_decide *decide, const tk_rule *rule, uint32_t labels)
{
    memset(decide, 0, sizeof *decide);
    if (labels < 1 || labels > TK_LABELS_MAX) return TK_ERR_ARGUMENT;
    decide->rule = *rule;
    decide->labels = (uint8_t)labels;
    return tk_rule_check(rule, labels);
}

static void put_answer(tk_decide *decide, const int8_t *answer)
{
    uint8_t *held = decide->answers + decide->next * decide->labels;
    bool full = decide->count == decide->rule.smoothing;
    for (uint32_t i = 0; i < decide->labels; i++) {
        uint8_t value = (uint8_t)(answer[i] + 128);
        decide->sum[i] = (uint16_t)(decide->sum[i] + value - (full ? held[i] : 0));
        held[i] = value;
    }
    if (!full) decide->count++;
    decide->next = (uint8_t)(decide->next + 1 == decide->rule.smoothing ? 0 : decide->next + 1);
}

void tk_decide_push(tk_decide *decide, const int8_t *answer, uint64_t time_us, tk_decision *decision)
{
    uint32_t best = 0;
    put_answer(decide, answer);
    for (uint32_t i = 0; i < decide->labels; i++) {
        decision->smoothed[i] = (uint8_t)((decide->sum[i] + decide->count / 2) / decide->count);
        if (decide->sum[i] > decide->sum[best]) best = i;
    }
    decision->label = TK_UNSURE;
    decision->announce = false;
    uint32_t threshold = decide->rule.count > 0 ? decide->rule.thresholds[best] : decide->rule.threshold;
    if (decide->sum[best] * 257u < threshold * decide->count) return;
    decision->label = (int8_t)best;
    decision->announce = !decide->announced[best] ||
                         time_us - decide->announced_us[best] >= decide->rule.suppression_ms * (uint64_t)1000;
    if (decision->announce) {
        decide->announced[best] = true;
        decide->announced_us[best] = time_us;
    }
}
