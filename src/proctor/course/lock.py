"""One command at a time grades a course.

Held by ``proctor grade`` while it runs. nbgrader's own commands know nothing of it.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from proctor.course.folders import Course
from proctor.errors import CourseError


@contextlib.contextmanager
def course_lock(course: Course) -> Iterator[None]:
    """Hold the course while it is graded. Raises `CourseError` that names the process if another one holds it."""
    try:
        course.state.mkdir(exist_ok=True)
        lock = (course.state / "lock").open("a+", encoding="ascii")
    except OSError as error:
        raise CourseError(f"{course.root}: cannot be written to ({error.strerror}); grading writes there") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "?"
            reason = f"process {holder} is grading this course: wait for it, or end it"
            raise CourseError(f"{course.root}: {reason}") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
