/* tk_link: frames over the board's serial line, never waiting for it.
 *
 * Frames to send are put whole into a queue and leave it as the line takes them. Replies always
 * find room, because no request is taken before there is room for its reply; an event that finds
 * none is refused, and its sender decides (a stream keeps its samples and tries again).
 */
#ifndef TK_LINK_H
#define TK_LINK_H

#include "tk_frame.h"
#include "tk_hal.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TK_LINK_QUEUE 4096u /* bytes of RAM for frames that wait: a third of a second at 115200 baud */

typedef struct tk_link {
    const tk_hal *hal;
    tk_decoder decoder;
    uint8_t raw[TK_FRAME_RAW];   /* the message under construction, its payload from raw + 2 on */
    uint8_t wire[TK_FRAME_WIRE]; /* the same as it goes on the wire */
    uint8_t queue[TK_LINK_QUEUE];
    uint32_t head;               /* bytes ever put in; wraps at 2^32, as does tail */
    uint32_t tail;               /* bytes ever taken out */
    uint8_t event_seq;
} tk_link;

void tk_link_init(tk_link *link, const tk_hal *hal);

/* Where to build the payload of the next reply or event: TK_FRAME_PAYLOAD bytes. */
uint8_t *tk_link_payload(tk_link *link);

/* Queue a reply with `length` bytes of payload. TK_ERR_BUFFER: no room, nothing was queued. */
tk_status tk_link_reply(tk_link *link, uint8_t type, uint8_t seq, size_t length);

/* Queue an event; it gets the next event number. Leaves room for one reply of any length.
 * TK_ERR_BUFFER: no room, nothing was queued and no number used up. */
tk_status tk_link_event(tk_link *link, uint8_t type, size_t length);

/* Queue bytes that are no frame, for the text mode. TK_ERR_BUFFER: no room, nothing was queued. */
tk_status tk_link_text(tk_link *link, const uint8_t *bytes, size_t length);

/* Bytes of room in the queue. */
size_t tk_link_room(const tk_link *link);

/* Give the line what it takes. */
void tk_link_flush(tk_link *link);

#ifdef __cplusplus
}
#endif
#endif
