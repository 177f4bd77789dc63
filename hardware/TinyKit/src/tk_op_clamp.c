#include "tk_quant.h"

void tk_clamp_output(const tk_op *op, uint8_t *arena)
{
    int8_t *out = (int8_t *)(arena + op->out);
    uint32_t count = (uint32_t)op->out_h * op->out_w * op->out_c;
    if (op->low == -128 && op->high == 127) {
        return;
    }
#if TK_DSP
    const uint32_t low = (uint8_t)op->low * 0x01010101u, high = (uint8_t)op->high * 0x01010101u;
    for (; count >= 4; count -= 4, out += 4) {
        uint32_t word = tk_load32(out), t;
        __asm__("ssub8 %[t], %[x], %[low]\n\t" /* sets GE for each byte that is not below */
                "sel %[x], %[x], %[low]\n\t"
                "ssub8 %[t], %[high], %[x]\n\t"
                "sel %[x], %[x], %[high]"
                : [x] "+r"(word), [t] "=&r"(t)
                : [low] "r"(low), [high] "r"(high)
                : "cc");
        tk_store32(out, word);
    }
#endif
    for (; count > 0; count--, out++) {
        *out = (int8_t)tk_clamp(*out, op->low, op->high);
    }
}
