/* What stands in for TensorFlow Lite Micro where its library is not: the few classes that an exported sketch
 * uses, over the project's own engine, which answers with the same bits. The plan is linked beside it. */
#ifndef STANDS_IN_FOR_TFLM_H
#define STANDS_IN_FOR_TFLM_H
#include <stddef.h>
#include <stdint.h>

#include "tk_engine.h"

#define TFLITE_SCHEMA_VERSION 3

extern const uint8_t test_plan[];
extern const uint32_t test_plan_bytes;
extern "C" {
extern uint32_t test_model_bytes_seen; /* the first four of the model that the sketch gave */
extern uint32_t test_methods;          /* operations that its resolver was given */
}

typedef enum { kTfLiteOk = 0, kTfLiteError = 1 } TfLiteStatus;
typedef enum { kTfLiteInt8 = 9 } TfLiteType;

struct TfLiteTensor {
    TfLiteType type;
    union { int8_t *int8; } data;
    size_t bytes;
};

namespace tflite {

struct Model {
    uint32_t version() const { return 3; }
};

inline const Model *GetModel(const void *bytes)
{
    test_model_bytes_seen = *(const uint32_t *)bytes;
    return (const Model *)bytes;
}

template <unsigned int most> class MicroMutableOpResolver {
  public:
    TfLiteStatus AddConv2D() { return count(); }
    TfLiteStatus AddReshape() { return count(); }
    TfLiteStatus AddSoftmax() { return count(); }

  private:
    TfLiteStatus count() { return ++test_methods <= most ? kTfLiteOk : kTfLiteError; }
};

class MicroInterpreter {
  public:
    template <class Resolver>
    MicroInterpreter(const Model *, const Resolver &, uint8_t *arena, size_t bytes) : arena_(arena), bytes_(bytes) {}

    TfLiteStatus AllocateTensors()
    {
        if (tk_plan_open(&plan_, test_plan, test_plan_bytes) != TK_OK) return kTfLiteError;
        if (tk_engine_init(&engine_, &plan_, arena_, bytes_) != TK_OK) return kTfLiteError;
        input_.type = output_.type = kTfLiteInt8;
        input_.data.int8 = tk_engine_input(&engine_, &input_.bytes);
        output_.data.int8 = const_cast<int8_t *>(tk_engine_output(&engine_, &output_.bytes));
        return kTfLiteOk;
    }
    TfLiteStatus Invoke() { return tk_engine_run(&engine_) == TK_OK ? kTfLiteOk : kTfLiteError; }
    TfLiteStatus Reset() { return tk_engine_reset(&engine_) == TK_OK ? kTfLiteOk : kTfLiteError; }
    TfLiteTensor *input(size_t) { return &input_; }
    TfLiteTensor *output(size_t) { return &output_; }
    size_t arena_used_bytes() const { return tk_plan_arena_bytes(&plan_); }

  private:
    uint8_t *arena_;
    size_t bytes_;
    tk_plan plan_;
    tk_engine engine_;
    TfLiteTensor input_, output_;
};

} /* namespace tflite */
#endif
