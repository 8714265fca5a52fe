"""The course's settings. Everything else is nbgrader's own; see docs/reference.md for what can be set."""

import os

from nbgrader.preprocessors import ClearSolutions

import proctor

c = get_config()  # noqa: F821 - nbgrader provides it

c.CourseDirectory.course_id = "custom-training"
c.CourseDirectory.root = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - runs in any nbgrader

c.IncludeHeaderFooter.header = ""
c.ClearSolutions.code_stub = {**ClearSolutions().code_stub, "python": "# YOUR CODE HERE"}

# The parts of proctor, in their places in nbgrader's pipeline.
proctor.configure(c)

c.ProctoredExecute.preload = ["tensorflow", "numpy", "matplotlib.pyplot"]
# One notebook uses one core; the others are for the other notebooks. And no oneDNN: with it, TensorFlow takes longer to
# start, and the last digits depend on the processor.
c.ProctoredExecute.environment = {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_ENABLE_ONEDNN_OPTS": "0",
}
# The sample class is ours: it is graded, with a warning, even where this machine cannot sandbox it.
c.ProctoredExecute.known_submissions = "tools/sample_class.sha256"
c.ProctoredExecute.seed = 20261121  # change it every term: it decides the hidden tests' inputs
