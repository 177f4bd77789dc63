#include "tk_link.h"

#include <string.h>

void tk_link_init(tk_link *link, const tk_hal *hal)
{
    memset(link, 0, sizeof *link);
    link->hal = hal;
}

uint8_t *tk_link_payload(tk_link *link)
{
    return link->raw + 2;
}

size_t tk_link_room(const tk_link *link)
{
    return TK_LINK_QUEUE - (link->head - link->tail);
}

tk_status tk_link_text(tk_link *link, const uint8_t *bytes, size_t length)
{
    if (length > tk_link_room(link)) return TK_ERR_BUFFER;
    for (size_t i = 0; i < length; i++) link->queue[link->head++ % TK_LINK_QUEUE] = bytes[i];
    return TK_OK;
}

tk_status tk_link_reply(tk_link *link, uint8_t type, uint8_t seq, size_t length)
{
    size_t wire = 0;
    tk_status status = tk_frame_encode(type, seq, tk_link_payload(link), length, link->raw, link->wire,
                                       sizeof link->wire, &wire);
    return status != TK_OK ? status : tk_link_text(link, link->wire, wire);
}

tk_status tk_link_event(tk_link *link, uint8_t type, size_t length)
{
    if (tk_link_room(link) < TK_COBS_MAX(length + 6) + 2 + TK_FRAME_WIRE) return TK_ERR_BUFFER;
    tk_status status = tk_link_reply(link, type, link->event_seq, length);
    if (status == TK_OK) link->event_seq++;
    return status;
}

void tk_link_flush(tk_link *link)
{
    while (link->head != link->tail) {
        uint32_t at = link->tail % TK_LINK_QUEUE;
        uint32_t run = link->head - link->tail; /* bytes that wait, up to the end of the ring */
        if (run > TK_LINK_QUEUE - at) run = TK_LINK_QUEUE - at;
        size_t taken = link->hal->serial_write(link->hal->context, link->queue + at, run);
        link->tail += (uint32_t)taken;
        if (taken < run) return;
    }
}
