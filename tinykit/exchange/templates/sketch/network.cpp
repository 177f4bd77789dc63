#include "network.h"

#include <Chirale_TensorFlowLite.h>
#include <tensorflow/lite/micro/micro_interpreter.h>
#include <tensorflow/lite/micro/micro_mutable_op_resolver.h>
#include <tensorflow/lite/schema/schema_generated.h>

#include "model.h"

/* @ARENA_TEXT@. */
alignas(16) static uint8_t arena[@ARENA@];
static tflite::MicroInterpreter *interpreter;

static tk_status run(void *)
{
    return interpreter->Invoke() == kTfLiteOk ? TK_OK : TK_ERR_INTERNAL;
}

const char *network_begin(tk_solo_network *network)
{
    static tflite::MicroMutableOpResolver<@METHOD_COUNT@> resolver;
@METHODS@

    const tflite::Model *model = tflite::GetModel(model_network);
    if (model->version() != TFLITE_SCHEMA_VERSION) return "the library reads another version of models";
    static tflite::MicroInterpreter made(model, resolver, arena, sizeof arena);
    interpreter = &made;
    if (made.AllocateTensors() != kTfLiteOk) return "the arena in network.cpp is too small for this library";

    TfLiteTensor *input = made.input(0), *output = made.output(0);
    if (input->type != kTfLiteInt8 || output->type != kTfLiteInt8) return "the network does not compute in int8";
    network->context = NULL;
    network->run = run;
    network->input = input->data.int8;
    network->input_bytes = input->bytes;
    network->output = output->data.int8;
    network->output_bytes = output->bytes;
    return NULL;
}

tk_status network_reset()
{
    return interpreter->Reset() == kTfLiteOk ? TK_OK : TK_ERR_INTERNAL;
}

size_t network_arena_used()
{
    return interpreter->arena_used_bytes();
}
