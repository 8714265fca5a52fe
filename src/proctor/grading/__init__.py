"""A class and one student of it: who is to be graded, and what came of each.

Called by `proctor.cli.grade` and `proctor.cli.check`; `proctor.executors` runs its jobs. Knows nothing of kernels and
TensorFlow.
"""
