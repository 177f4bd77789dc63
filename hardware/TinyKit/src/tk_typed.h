/* tk_typed: words on a line of their own, told from frames: what a person types into a serial monitor, and what
 * Edge Impulse's data forwarder sends with --start-msg.
 *
 *   text, text imu       lines of the IMU's readings from now on
 *   text mic             of the loudness of sound
 *   text environment     of the environment sensors
 *   stop                 no more lines
 *   AT+STARTDATAFWD, AT+STOPDATAFWD    as `text` and `stop`
 *
 * Nothing in a frame is taken for a word: after a byte that nobody types, all is passed over up to the next zero,
 * and every request has one among its first bytes (its type is below 0x20, and with 0x0A and 0x0D its length or
 * its fields are).
 */
#ifndef TK_TYPED_H
#define TK_TYPED_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TK_TYPED_MAX 16u /* longest word; a longer line is none */

typedef enum tk_typed_word {
    TK_TYPED_NOTHING,
    TK_TYPED_TEXT, /* lines of `sensor` */
    TK_TYPED_STOP
} tk_typed_word;

/* All zero is a valid start. */
typedef struct tk_typed {
    bool frame;     /* since the last zero a byte came that nobody types */
    uint8_t length; /* of the line so far; more than TK_TYPED_MAX: too long */
    uint8_t sensor; /* of the last TK_TYPED_TEXT: TK_SENSOR_ */
    char line[TK_TYPED_MAX];
} tk_typed;

/* Take one byte; says when it ends a word. */
tk_typed_word tk_typed_push(tk_typed *typed, uint8_t byte);

#ifdef __cplusplus
}
#endif
#endif
