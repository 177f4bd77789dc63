#include <Chirale_TensorFlowLite.h>
