#include "tk_text.h"

static void put(tk_text *text, char c)
{
    if (text->length < text->capacity) text->bytes[text->length++] = (uint8_t)c;
}

void tk_text_put(tk_text *text, const char *what)
{
    while (*what != 0) put(text, *what++);
}

void tk_text_number(tk_text *text, uint32_t value)
{
    char digits[10];
    int n = 0;
    do {
        digits[n++] = (char)('0' + value % 10u);
        value /= 10u;
    } while (value > 0);
    while (n > 0) put(text, digits[--n]);
}

void tk_text_decimal(tk_text *text, int32_t value, uint32_t decimals)
{
    uint32_t rest = value < 0 ? 0u - (uint32_t)value : (uint32_t)value, unit = 1;
    if (value < 0) put(text, '-');
    for (uint32_t i = 0; i < decimals; i++) unit *= 10u;
    tk_text_number(text, rest / unit);
    if (decimals == 0) return;
    put(text, '.');
    for (rest %= unit; unit > 1; rest %= unit) {
        unit /= 10u;
        put(text, (char)('0' + rest / unit));
    }
}
