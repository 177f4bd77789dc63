/* tk_status: what every function of the core answers.
 *
 * 0 is success, errors are negative. Each has a short name that travels over the link
 * (hardware/PROTOCOL.md) and that the host raises as DeviceError.name. The list below is the only
 * place where number, name and meaning are written: enum, table and test are made from it.
 * Numbers are part of the protocol: add at the end, never renumber.
 */
#ifndef TK_STATUS_H
#define TK_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

/* X(constant, number, name, meaning) */
#define TK_STATUS_LIST(X)                                                                      \
    X(TK_OK, 0, "ok", "done")                                                                  \
    X(TK_ERR_ARGUMENT, -1, "bad_argument", "a value is out of its range")                      \
    X(TK_ERR_LENGTH, -2, "bad_length", "the message has the wrong length for its type")        \
    X(TK_ERR_REQUEST, -3, "unknown_request", "no request has this type")                       \
    X(TK_ERR_VERSION, -4, "bad_version", "the host speaks another protocol version")           \
    X(TK_ERR_OFFSET, -5, "bad_offset", "not the offset expected; detail is the one that is")   \
    X(TK_ERR_CRC, -6, "bad_crc", "the checksum does not match the bytes")                      \
    X(TK_ERR_BUSY, -7, "busy", "something else is under way")                                  \
    X(TK_ERR_STATE, -8, "bad_state", "not possible now, something must come first")            \
    X(TK_ERR_NO_UPLOAD, -9, "no_upload", "no upload has begun")                                \
    X(TK_ERR_SLOT, -10, "bad_slot", "there is no such slot")                                   \
    X(TK_ERR_SLOT_EMPTY, -11, "slot_empty", "the slot holds no pipeline")                      \
    X(TK_ERR_SLOT_DAMAGED, -12, "slot_damaged", "the slot's contents fail their checks")       \
    X(TK_ERR_SLOT_ACTIVE, -13, "slot_active", "the slot is in use and can't be written")       \
    X(TK_ERR_TOO_LARGE, -14, "too_large", "does not fit; detail is the bytes that would")      \
    X(TK_ERR_ARENA, -15, "arena_too_small", "needs more RAM; detail is the bytes needed")      \
    X(TK_ERR_FLASH, -16, "flash_failed", "flash does not read back as it was written")         \
    X(TK_ERR_NO_PLAN, -17, "no_plan", "no pipeline is active")                                 \
    X(TK_ERR_NO_PIPELINE, -18, "no_pipeline", "the plan is a bare network, without front end") \
    X(TK_ERR_MAGIC, -19, "bad_magic", "these bytes are not what they should be")               \
    X(TK_ERR_FORMAT, -20, "bad_format", "a format version that this firmware can't read")      \
    X(TK_ERR_PLAN, -21, "bad_plan", "the plan contradicts itself")                             \
    X(TK_ERR_BOUNDS, -22, "out_of_bounds", "an offset or size points outside")                 \
    X(TK_ERR_ALIGNMENT, -23, "bad_alignment", "an offset is not a multiple it must be")        \
    X(TK_ERR_SHAPE, -24, "bad_shape", "a tensor's shape is not as it must be")                 \
    X(TK_ERR_OP, -25, "unsupported_op", "the engine has no such operation; detail is its place") \
    X(TK_ERR_PARAMETER, -26, "bad_parameter", "an operation's parameter is out of its range")  \
    X(TK_ERR_PIPELINE, -27, "bad_pipeline", "the pipeline section contradicts itself")         \
    X(TK_ERR_SENSOR, -28, "no_sensor", "there is no such sensor")                              \
    X(TK_ERR_SENSOR_DEAD, -29, "sensor_dead", "the sensor has stopped giving samples")         \
    X(TK_ERR_RATE, -30, "bad_rate", "the sensor can't give this rate")                         \
    X(TK_ERR_CHANNELS, -31, "bad_channels", "the sensor lacks a channel that is asked for")    \
    X(TK_ERR_BUFFER, -32, "buffer_too_small", "the caller's buffer can't hold it")             \
    X(TK_ERR_FRAME, -33, "bad_frame", "a frame arrived damaged")                               \
    X(TK_ERR_UNSUPPORTED, -34, "not_supported", "this board can't do that")                    \
    X(TK_ERR_TIMEOUT, -35, "timeout", "it took too long")                                      \
    X(TK_ERR_INTERNAL, -36, "internal", "a fault in the firmware")

typedef enum tk_status {
#define TK_STATUS_ENUM(constant, number, name, meaning) constant = number,
    TK_STATUS_LIST(TK_STATUS_ENUM)
#undef TK_STATUS_ENUM
} tk_status;

/* Name that travels over the link, such as "slot_empty"; "unknown" for a number not in the list. */
const char *tk_status_name(tk_status status);

/* One clause in English for people; never NULL. */
const char *tk_status_meaning(tk_status status);

#ifdef __cplusplus
}
#endif
#endif
