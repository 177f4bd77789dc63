/* tk_requests: what the device answers to each request of hardware/PROTOCOL.md. */
#ifndef TK_REQUESTS_H
#define TK_REQUESTS_H

#include "tk_device.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Do what a request asks and queue its reply, or an error that says by name why not. */
void tk_requests_answer(tk_device *device, const tk_frame *request);

#ifdef __cplusplus
}
#endif
#endif
