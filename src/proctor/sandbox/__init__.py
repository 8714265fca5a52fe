"""What a student's process may touch, how that is enforced, and how this machine is tried out.

`proctor.kernels` closes the sandbox around each forked kernel; ``proctor doctor`` and grading ask what holds here.
"""
