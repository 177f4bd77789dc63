"""The reference networks under TINYKIT_MODELS, against TensorFlow Lite Micro."""

import numpy as np
import pytest
from golden import agree

NETWORKS = ["ad01_int8", "kws_ref_model", "magic_wand_int8", "micro_speech_quantized"]


@pytest.mark.parametrize("name", NETWORKS)
def test_reference_network(shared_models, name):
    network = (shared_models / f"{name}.tflite").read_bytes()
    plan = agree(network, np.random.default_rng(0), 40)
    plan.check_fit()
