/* tk_protocol: the numbers of hardware/PROTOCOL.md. */
#ifndef TK_PROTOCOL_H
#define TK_PROTOCOL_H

#define TK_PROTOCOL_VERSION 1u
#define TK_FIRMWARE_VERSION "0.3.0"

/* Requests, host to device; the reply has the same number with TK_REPLY added. */
#define TK_HELLO 0x01u
#define TK_INFO 0x02u
#define TK_SLOTS_LIST 0x03u
#define TK_ECHO 0x04u
#define TK_STREAM_START 0x05u
#define TK_STREAM_STOP 0x06u
#define TK_UPLOAD_BEGIN 0x07u
#define TK_UPLOAD_DATA 0x08u
#define TK_UPLOAD_END 0x09u
#define TK_ROLLBACK 0x0Au
#define TK_TENSOR_WRITE 0x0Bu
#define TK_RUN 0x0Cu
#define TK_TENSOR_READ 0x0Du
#define TK_LIVE_START 0x0Eu
#define TK_LIVE_STOP 0x0Fu
#define TK_DECISION 0x10u
#define TK_TEXT 0x11u
#define TK_TIME 0x12u
#define TK_ERASE 0x13u
#define TK_SECTION_READ 0x14u
#define TK_ARENA_READ 0x15u
#define TK_REPLY 0x80u
#define TK_REPLY_ERROR 0xFFu

/* Events, device to host. */
#define TK_EVENT_SAMPLES 0x40u
#define TK_EVENT_PREDICTION 0x41u
#define TK_EVENT_LOG 0x42u
#define TK_EVENT_FAULT 0x43u
#define TK_EVENT_AUDIO 0x44u

#define TK_UPLOAD_CHUNK 508u /* most bytes in one UPLOAD_DATA or TENSOR_WRITE: payload less the offset */
#define TK_SENSOR_IMU 0u
#define TK_SENSOR_MIC 1u
#define TK_SENSOR_ENVIRONMENT 2u

#endif
