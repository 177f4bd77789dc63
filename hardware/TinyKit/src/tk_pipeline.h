/* tk_pipeline: what a plan says besides its network: sensor, window, front end, labels, decision.
 *
 * The section is packed on the host (tinykit/features/section.py) and read in place. Little-endian:
 *
 *   0 u32 magic "TKPS"      40 u32 rate, mHz        52 u8 flags, TK_PIPELINE_... (IMU)
 *   4 u16 format, 1         44 u16 window, samples  53 i8 zero point of the network's input
 *   6 u16 bytes in all      46 u16 hop, samples     54 u8 smoothing, answers
 *   8 char name[32]         48 u8 sensor            55 u8 thresholds: 0, or one per label
 *     UTF-8, zeros after    49 u8 channels          56 u16 threshold, of 65535
 *                           50 u8 features          58 u16 suppression, ms
 *                           51 u8 labels            60 u8 channel[8], sensor's numbers, 255 after
 *  68 sensor 0, the IMU: features times i32 multiplier, i32 shift
 *     sensor 1, the microphone: the mel block, see tk_mel.h
 *   . thresholds times: u16 of 65535; zeros up to a multiple of 4
 *   . labels times: u8 length, UTF-8 without zero
 *   . zeros up to a multiple of 4
 *
 * Answers are int8 with scale 1/256 and zero point -128, as TensorFlow makes every int8 softmax; the
 * host refuses to pack anything else.
 */
#ifndef TK_PIPELINE_H
#define TK_PIPELINE_H

#include "tk_imu.h"
#include "tk_mel.h"
#include "tk_status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TK_PIPELINE_FORMAT 1u
#define TK_PIPELINE_CENTER 1u    /* flag: tk_imu_front.center */
#define TK_PIPELINE_LENGTH_A 2u  /* flag: |a| is a feature; aX, aY and aZ must be channels */
#define TK_PIPELINE_LENGTH_G 4u  /* flag: |g| likewise */
#define TK_NAME_BYTES 32u        /* a name, with at least one zero at its end */
#define TK_LABELS_MAX 64u
#define TK_SMOOTHING_MAX 16u
#define TK_RATE_MIN 1000u        /* 1 Hz, in mHz */
#define TK_RATE_MAX 4000000u     /* 4 kHz, for an IMU */
#define TK_SOUND_RATE 16000000u  /* 16 kHz: the one rate of sound */
#define TK_SOUND_WINDOW_MAX 16384u /* most samples of sound in a window */
#ifndef TK_SOUND_INPUT_MAX /* a program of its own may have less */
#define TK_SOUND_INPUT_MAX 6144u /* most bytes of features that a window of sound gives */
#endif

/* When is an answer a decision? Can be changed on the running device (DECISION). */
typedef struct tk_rule {
    uint16_t threshold;      /* smoothed probability the best label must reach, of 65535 */
    uint8_t smoothing;       /* answers averaged, 1 to TK_SMOOTHING_MAX */
    uint8_t count;           /* of thresholds: 0, or as many as there are labels */
    uint16_t suppression_ms; /* the same label is not announced again for so long */
    uint16_t thresholds[TK_LABELS_MAX]; /* one per label, in place of `threshold` */
} tk_rule;

/* A section that has been checked. Caller-owned; the bytes must stay where they are. */
typedef struct tk_pipeline {
    const char *name;        /* in the section, ends with a zero */
    const uint8_t *labels;   /* first label's length byte */
    uint32_t rate_mhz;       /* rate at which windows are cut */
    uint16_t window;         /* samples in a window */
    uint16_t hop;            /* samples from one answer to the next */
    uint16_t rows;           /* of the network's input: samples of an IMU, frames of sound */
    uint16_t features;       /* columns of the network's input */
    uint8_t sensor;          /* TK_SENSOR_IMU or TK_SENSOR_MIC */
    uint8_t channels;        /* columns of a window */
    uint8_t label_count;
    uint8_t channel[8];      /* sensor channel of each column of the window, ascending */
    tk_rule rule;
    tk_imu_front front;      /* sensor 0 */
    tk_mel_front mel;        /* sensor 1; its tables are in the section */
} tk_pipeline;

/* Check `length` bytes and fill in `pipeline`. Every field is checked, so that what comes after
 * needs no checks. The bytes of a section of sound must be 4-byte aligned. TK_OK, or TK_ERR_LENGTH, _MAGIC, _FORMAT, _SENSOR, or _PIPELINE. */
tk_status tk_pipeline_parse(tk_pipeline *pipeline, const void *bytes, size_t length);

/* Is a rule for so many labels within its ranges? TK_OK or TK_ERR_ARGUMENT. */
tk_status tk_rule_check(const tk_rule *rule, uint32_t labels);

#ifdef __cplusplus
}
#endif
#endif
