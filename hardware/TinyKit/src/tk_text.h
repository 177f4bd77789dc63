/* tk_text: texts and decimal numbers written into a buffer, without printf, which costs 5 KB of flash
 * and a heap. */
#ifndef TK_TEXT_H
#define TK_TEXT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A number as a header spells it, as a text. */
#define TK_TEXT_SPELLED(number) #number
#define TK_TEXT_DIGITS(number) TK_TEXT_SPELLED(number)

/* A text that grows. What does not fit is left out. */
typedef struct tk_text {
    uint8_t *bytes;
    size_t length, capacity;
} tk_text;

void tk_text_put(tk_text *text, const char *what);
void tk_text_number(tk_text *text, uint32_t value);

/* `value` / 10^decimals, with so many decimals. */
void tk_text_decimal(tk_text *text, int32_t value, uint32_t decimals);

#ifdef __cplusplus
}
#endif
#endif
