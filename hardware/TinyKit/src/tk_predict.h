/* tk_predict: the front end and the network on a device, while its sensors are looked after. */
#ifndef TK_PREDICT_H
#define TK_PREDICT_H

#include "tk_device.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Live predictions: answer one window if that is due. */
void tk_predict(tk_device *device);

/* The front end over a window that was written to the sensor's memory, into the network's input. Builds
 * events: write no reply before. */
void tk_predict_quantize(tk_device *device);

/* Run `count` ops of the network from op `first` on; all of them are one answer to what the input tensor
 * holds. Between layers the sensors are looked after, so that a slow network loses no samples; that time
 * is not counted. Builds events likewise. TK_ERR_ARGUMENT when there are not so many. */
tk_status tk_predict_run(tk_device *device, uint32_t first, uint32_t count, uint32_t *cycles,
                         uint32_t *microseconds);

#ifdef __cplusplus
}
#endif
#endif
