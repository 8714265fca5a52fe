"""What the exit status of a ``proctor`` command says."""

GRADED, SOME_NOT, USAGE = 0, 1, 2
