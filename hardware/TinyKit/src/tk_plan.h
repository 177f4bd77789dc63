/* tk_plan: a network and its pipeline, as the board keeps them in flash.
 *
 * A plan is made on the host (tinykit/engine/plan.py) from an int8 .tflite: operations chosen,
 * arena planned, input zero points folded into the biases, multipliers computed, weights packed.
 * The device reads it in place and never writes to it. Everything is little-endian; every offset
 * counts bytes, from the plan's first byte for what lies in flash ("plan offset") or from the
 * arena's first byte for what lies in RAM ("arena offset").
 *
 *   header (64 bytes) | pipeline section | op records (96 bytes each) | constants
 *
 * tk_plan_open() checks the CRC, then every offset, shape, size and parameter, before anything is
 * used. After that the kernels check nothing: a plan that opens cannot make them read or write
 * outside the plan and the arena, whatever it says. (A hostile plan can still compute nonsense.)
 */
#ifndef TK_PLAN_H
#define TK_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "tk_status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TK_PLAN_FORMAT 2u    /* version of this layout; other versions are refused */
#define TK_PLAN_ALIGN 16u    /* sections and constants start at multiples of this, bytes */
#define TK_ARENA_ALIGN 8u    /* the arena's address must be a multiple of this, bytes */

/* First 64 bytes of a plan. */
typedef struct tk_plan_header {
    char magic[4];           /* "TKPL" */
    uint16_t format;         /* TK_PLAN_FORMAT */
    uint16_t flags;          /* 0 */
    uint32_t length;         /* of the whole plan, bytes, a multiple of 16 */
    uint32_t crc32;          /* zlib's CRC-32 of bytes 16..length */
    uint32_t section_offset; /* plan offset of the pipeline section; 0: a bare network */
    uint32_t section_bytes;  /* 0 when there is none */
    uint32_t ops_offset;     /* plan offset of the op records */
    uint32_t op_count;       /* at least 1; run in order */
    uint32_t const_offset;   /* plan offset of the constants */
    uint32_t const_bytes;    /* may be 0 */
    uint32_t arena_bytes;    /* RAM that a run needs, a multiple of 16 */
    uint32_t input;          /* arena offset of the input tensor */
    uint32_t input_bytes;    /* at least 1; of int8 values, if the plan has a pipeline section */
    uint32_t output;         /* arena offset of the output tensor */
    uint32_t output_bytes;   /* likewise */
    uint32_t reserved;       /* 0 */
} tk_plan_header;

/* What an op record can ask for. Numbers are part of the format: add at the end. */
typedef enum tk_kind {
    TK_CONV = 1,             /* convolution, dense over channels; weights as tk_op_conv.c says */
    TK_DEPTHWISE = 2,        /* convolution, each channel by itself */
    TK_DENSE = 3,            /* fully connected: in_h rows of in_c values -> rows of out_c */
    TK_AVERAGE_POOL = 4,     /* mean over the window's part inside the picture, rounded */
    TK_MAX_POOL = 5,
    TK_MEAN = 6,             /* over the middle axis: (in_h, in_w, in_c) -> (in_h, in_c) */
    TK_SOFTMAX = 7,          /* over in_c, for in_h rows */
    TK_ADD = 8,              /* in_h * in_w * in_c values */
    TK_MUL = 9,              /* likewise */
    TK_TABLE = 10,           /* out = table[in + 128]: any function of one int8 */
    TK_PAD = 11,             /* a copy into the middle of a picture that is filled first */
    TK_COPY = 12,            /* bytes moved by nested loops: cut, joined, turned, repeated */
    TK_CONV_1X1 = 13,        /* TK_CONV with a kernel of 1x1, stride 1, no padding */
    TK_CONV_PLAIN = 14,      /* TK_CONV for channels in long form, or weights that are no halves */
    TK_DENSE_PLAIN = 15,     /* TK_DENSE likewise */
    TK_DEPTHWISE_3X3 = 23,   /* 3x3, stride 1 along its lines */
    TK_DEPTHWISE_3X3_2 = 24, /* the same, stride 2 */
    TK_DEPTHWISE_LINES = 25, /* any kernel, stride 1 along its lines */
    TK_DEPTHWISE_LINES_2 = 26, /* the same, stride 2 */
    TK_PICK = 31,            /* rows and columns by their numbers: resizing, gathering, mirroring */
    TK_ARGMAX = 32,          /* where the largest or smallest value stands */
    TK_RESCALE = 33,         /* integers to integers of another size or scale */
    TK_QUANTIZE = 34,        /* float32 to int8 or int16 */
    TK_DEQUANTIZE = 35,      /* int8, uint8 or int16 to float32 */
    TK_STATE = 47,           /* memory that outlives a run; see tk_op_state.c */
    TK_BROADCAST_ADD = 48,   /* TK_ADD for any shapes that broadcast */
    TK_BROADCAST_MUL = 49,   /* likewise */
    TK_SQUARED_DIFFERENCE = 50,
    TK_MAXIMUM = 51,
    TK_MINIMUM = 52,
    TK_PRELU = 53,           /* the slope below zero is the second input */
    TK_SOFTMAX_16 = 54,      /* TK_SOFTMAX with an output of int16 */
    TK_BATCH_MATMUL = 56,    /* matrix products of int8, batch by batch */
    TK_BATCH_MATMUL_16 = 57, /* the same of int16 */
    TK_SVDF = 58,            /* features remembered and filtered over time; state int8 */
    TK_SVDF_16 = 59,         /* the same with a state of int16 */
    TK_LSTM = 60,            /* over a sequence, int8 */
    TK_LSTM_16 = 61,         /* the same, int16 */
    TK_KIND_END
} tk_kind;

/* Bits of tk_op.flags. */
#define TK_FLAG_SIMPLE 1u    /* a short way to scale, by the kernel's file; the host has checked that it is exact */

#define TK_FLAG_CONST 2u     /* of two inputs: the second is a constant */
#define TK_FLAG_SUBTRACT 4u  /* TK_ADD, TK_BROADCAST_ADD: the second input is taken from the first */
#define TK_FLAG_VALUES 512u  /* TK_COPY: the input are constants of the plan */
#define TK_FLAG_EACH_RUN 0x1000u /* TK_STATE: cleared at the start of each run, not by a reset alone */
#define TK_FLAG_TURN_A 0x2000u   /* TK_BATCH_MATMUL: the first input's matrices lie on their side */
#define TK_FLAG_TURN_B 0x4000u   /* likewise the second's */
#define TK_FLAGS_KNOWN 0x7207u /* all of them */

/* One operation, 96 bytes. Fields that a kind doesn't use are 0. A picture is (h, w, c), c fastest. */
typedef struct tk_op {
    uint16_t kind;           /* tk_kind */
    uint16_t flags;          /* TK_FLAG_... */
    uint32_t in0;            /* arena offset of the input */
    uint32_t in1;            /* arena offset of the second input, or what the kernel's file says; plan
                                offset with TK_FLAG_CONST */
    uint32_t out;            /* arena offset of the output */
    uint32_t scratch;        /* arena offset of memory for this op alone, a multiple of 8 */
    uint32_t scratch_bytes;  /* at least what the kernel's file says */
    uint16_t in_h, in_w, in_c;
    uint16_t out_h, out_w, out_c;
    uint16_t kernel_h, kernel_w;
    uint16_t stride_h, stride_w;
    uint16_t dilation_h, dilation_w;
    uint16_t pad_top, pad_left; /* rows above and columns left of the picture */
    int16_t zero0;           /* zero point of the input, -128..127 */
    int16_t zero1;           /* zero point of the second input */
    int16_t zero_out;        /* zero point of the output */
    int8_t low, high;        /* the output is clamped to low..high (fused activation) */
    uint32_t data;           /* plan offset of weights or table */
    uint32_t channels;       /* plan offset of the output channels' tk_channel records */
    int32_t p[7];            /* parameters, as the kind's kernel says */
} tk_op;

/* How the sum of one output channel becomes an int8; 16 bytes, so that one LDM takes it.
 *
 * Long form: real factor = multiplier / 2^31 / 2^shift, rounded twice (tk_requantize), then the
 * op's zero point and its clamp.
 * Short form (TK_FLAG_SIMPLE): all of that in three to five instructions (tk_short), from 256 times
 * the sum, which must stay below 2^23 in size.
 */
typedef struct tk_channel {
    int32_t bias;            /* bias - input zero point * sum of the weights; short form: 256 times that */
    int32_t multiplier;      /* 0 or 2^30..2^31-1 */
    int32_t offset;          /* short form: half a unit of the shift, and the zero point; long form: 0 */
    int32_t shift;           /* to the right: -30..31; short form: 7 more, 8..23 */
} tk_channel;

/* A plan that has been checked. Caller-owned; the bytes must stay where they are. */
typedef struct tk_plan {
    const uint8_t *bytes;
    const tk_plan_header *header;
    const tk_op *ops;
    uint32_t bad_op;         /* when tk_plan_open fails within the records: which one; else 2^32-1 */
} tk_plan;

/* Check a plan of at most `length` bytes at `bytes` (a multiple of 4) and fill in `plan`.
 *
 * Costs one pass over the bytes (the CRC) and a few hundred instructions an op; needs no arena.
 * Returns TK_OK, or TK_ERR_ALIGNMENT, _LENGTH, _MAGIC, _FORMAT, _CRC, _BOUNDS, _SHAPE, _PARAMETER,
 * _OP, _TOO_LARGE (an op of more than 2^31 multiplications). On error `plan` can't be used. The
 * contents of the pipeline section are not looked at: tk_pipeline_parse() does that.
 */
tk_status tk_plan_open(tk_plan *plan, const void *bytes, size_t length);

uint32_t tk_plan_arena_bytes(const tk_plan *plan); /* RAM that tk_engine_init must be given */
uint32_t tk_plan_op_count(const tk_plan *plan);

/* Pipeline section and its length in bytes; NULL and 0 for a bare network. */
const void *tk_plan_section(const tk_plan *plan, size_t *length);

#ifdef __cplusplus
}
#endif
#endif
