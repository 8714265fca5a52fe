"""TensorFlow's settings in every process of ours; called by whatever starts one, before TensorFlow is imported."""

import os

SETTINGS = {
    # Its start-up messages are about hardware that is not used here.
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    # A grading process's own TensorFlow, for the reference, computes little: its threads are only in the others' way.
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
}


def quiet_tensorflow() -> None:
    """Set what the instructor has not set otherwise."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
