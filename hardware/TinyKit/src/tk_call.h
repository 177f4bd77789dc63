/* tk_call: a request being answered, and the functions that answer one kind each; for tk_requests.c and
 * tk_call_*.c alone. What each does is in hardware/PROTOCOL.md. */
#ifndef TK_CALL_H
#define TK_CALL_H

#include "tk_device.h"

typedef struct tk_call {
    tk_device *device;
    const uint8_t *in; /* payload of the request */
    uint32_t length;
    uint8_t *out;      /* payload of the reply; events may be built there until a reply is */
    uint32_t size;     /* of the reply */
    uint32_t detail;   /* for an error */
} tk_call;

/* tk_call_board.c */
tk_status tk_call_hello(tk_call *call);
tk_status tk_call_info(tk_call *call);
tk_status tk_call_echo(tk_call *call);
tk_status tk_call_time(tk_call *call);

/* tk_call_sensor.c */
tk_status tk_call_stream_start(tk_call *call);
tk_status tk_call_stream_stop(tk_call *call);
tk_status tk_call_text(tk_call *call);

/* tk_call_slots.c */
tk_status tk_call_slots_list(tk_call *call);
tk_status tk_call_upload_begin(tk_call *call);
tk_status tk_call_upload_data(tk_call *call);
tk_status tk_call_upload_end(tk_call *call);
tk_status tk_call_rollback(tk_call *call);
tk_status tk_call_erase(tk_call *call);
tk_status tk_call_section_read(tk_call *call);

/* tk_call_network.c */
tk_status tk_call_tensor_write(tk_call *call);
tk_status tk_call_run(tk_call *call);
tk_status tk_call_tensor_read(tk_call *call);
tk_status tk_call_arena_read(tk_call *call);
tk_status tk_call_live_start(tk_call *call);
tk_status tk_call_live_stop(tk_call *call);
tk_status tk_call_decision(tk_call *call);

#endif
