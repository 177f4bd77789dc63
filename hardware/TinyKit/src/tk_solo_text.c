#include "tk_solo_text.h"

#include "tk_protocol.h"

static void put_char(tk_text *text, char c)
{
    char one[2] = {c, 0};
    tk_text_put(text, one);
}

/* A label; the Serial Plotter takes a space, a comma or a colon for the end of a name. */
static const uint8_t *put_label(tk_text *text, const uint8_t *label, bool plotted)
{
    const uint8_t *end = label + 1 + *label;
    for (label++; label < end; label++) {
        char c = (char)*label;
        put_char(text, plotted && (c == ' ' || c == ',' || c == ':' || c == '\t') ? '_' : c);
    }
    return end;
}

void tk_solo_put_pipeline(tk_text *text, const tk_pipeline *pipeline)
{
    const uint8_t *label = pipeline->labels;
    tk_text_put(text, pipeline->sensor == TK_SENSOR_MIC ? "# keyword " : "# gesture ");
    tk_text_put(text, pipeline->name);
    for (uint32_t i = 0; i < pipeline->label_count; i++) {
        tk_text_put(text, i == 0 ? ": " : ", ");
        label = put_label(text, label, false);
    }
    tk_text_put(text, "\r\n");
}

void tk_solo_put_checked(tk_text *text, const tk_solo_checked *checked)
{
    tk_text_put(text, "# check: ");
    tk_text_number(text, checked->windows);
    if (checked->inputs_wrong == 0 && checked->outputs_wrong == 0) {
        tk_text_put(text, " windows came out as on the computer that made this program\r\n");
        return;
    }
    tk_text_put(text, " windows, of which the front end got ");
    tk_text_number(text, checked->inputs_wrong);
    tk_text_put(text, " and the network ");
    tk_text_number(text, checked->outputs_wrong);
    tk_text_put(text, " otherwise than the computer that made this program; answers differ by up to ");
    tk_text_number(text, checked->most);
    tk_text_put(text, " of 255\r\n");
}

void tk_solo_put_answer(tk_text *text, const tk_pipeline *pipeline, const tk_solo_answer *answer)
{
    const uint8_t *label = pipeline->labels;
    for (uint32_t i = 0; i < pipeline->label_count; i++) {
        if (i > 0) put_char(text, ' ');
        label = put_label(text, label, true);
        put_char(text, ':');
        tk_text_decimal(text, (int32_t)((answer->decision.smoothed[i] * 100u + 127u) / 255u), 2);
    }
    tk_text_put(text, "\r\n");
    if (!answer->decision.announce) return;
    label = pipeline->labels;
    for (int8_t i = 0; i < answer->decision.label; i++) label += 1 + *label;
    tk_text_put(text, "> ");
    (void)put_label(text, label, false);
    tk_text_put(text, " at ");
    tk_text_decimal(text, (int32_t)(answer->time_ms / 10u), 2);
    tk_text_put(text, " s\r\n");
}
