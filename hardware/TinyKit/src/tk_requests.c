#include "tk_requests.h"

#include <string.h>

#include "tk_bytes.h"
#include "tk_call.h"
#include "tk_protocol.h"

static tk_status dispatch(tk_call *c, uint8_t type)
{
    switch (type) {
    case TK_HELLO: return tk_call_hello(c);
    case TK_INFO: return tk_call_info(c);
    case TK_SLOTS_LIST: return tk_call_slots_list(c);
    case TK_ECHO: return tk_call_echo(c);
    case TK_STREAM_START: return tk_call_stream_start(c);
    case TK_STREAM_STOP: return tk_call_stream_stop(c);
    case TK_UPLOAD_BEGIN: return tk_call_upload_begin(c);
    case TK_UPLOAD_DATA: return tk_call_upload_data(c);
    case TK_UPLOAD_END: return tk_call_upload_end(c);
    case TK_ROLLBACK: return tk_call_rollback(c);
    case TK_TENSOR_WRITE: return tk_call_tensor_write(c);
    case TK_RUN: return tk_call_run(c);
    case TK_TENSOR_READ: return tk_call_tensor_read(c);
    case TK_LIVE_START: return tk_call_live_start(c);
    case TK_LIVE_STOP: return tk_call_live_stop(c);
    case TK_DECISION: return tk_call_decision(c);
    case TK_TEXT: return tk_call_text(c);
    case TK_TIME: return tk_call_time(c);
    case TK_ERASE: return tk_call_erase(c);
    case TK_SECTION_READ: return tk_call_section_read(c);
    case TK_ARENA_READ: return tk_call_arena_read(c);
    default: return TK_ERR_REQUEST;
    }
}

void tk_requests_answer(tk_device *device, const tk_frame *request)
{
    tk_call c = {device, request->payload, request->length, tk_link_payload(&device->link), 0, 0};
    uint8_t reply = (uint8_t)(request->type | TK_REPLY);
    /* Twice ROLLBACK would go forth again, and a network may overwrite its input when it runs: if one
     * of these comes again with the same number, its reply was lost, so only that is sent again. */
    bool once = request->type == TK_ROLLBACK || request->type == TK_RUN;
    if (once && device->done_type == request->type && device->done_seq == request->seq) {
        memcpy(c.out, device->done, device->done_length);
        tk_link_reply(&device->link, reply, request->seq, device->done_length);
        return;
    }
    device->done_type = 0;
    tk_status status = dispatch(&c, request->type);
    if (status == TK_OK) {
        if (once) {
            device->done_type = request->type;
            device->done_seq = request->seq;
            device->done_length = (uint8_t)c.size;
            memcpy(device->done, c.out, c.size);
        }
        tk_link_reply(&device->link, reply, request->seq, c.size);
        return;
    }
    const char *name = tk_status_name(status);
    tk_put_u16(c.out, (uint16_t)status);
    c.out[2] = request->type;
    c.out[3] = 0;
    tk_put_u32(c.out + 4, c.detail);
    memcpy(c.out + 8, name, strlen(name));
    tk_link_reply(&device->link, TK_REPLY_ERROR, request->seq, 8 + (uint32_t)strlen(name));
}
