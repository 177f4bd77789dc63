/* tk_solo_text: what a program of its own says, in lines that the Serial Monitor shows and the Serial
 * Plotter draws:
 *
 *     # gesture wand: flex, punch, rest             once; and what else is to be known, after a #
 *     flex:0.95 punch:0.03 rest:0.02                each answer, smoothed
 *     > flex at 12.34 s                             a decision, when it is announced
 */
#ifndef TK_SOLO_TEXT_H
#define TK_SOLO_TEXT_H

#include "tk_solo.h"
#include "tk_text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Put the lines, each with carriage return and line feed; what does not fit is left out. */
void tk_solo_put_pipeline(tk_text *text, const tk_pipeline *pipeline);
void tk_solo_put_checked(tk_text *text, const tk_solo_checked *checked);
void tk_solo_put_answer(tk_text *text, const tk_pipeline *pipeline, const tk_solo_answer *answer);

#ifdef __cplusplus
}
#endif
#endif
