"""A class of 60 with 53 attackers and the limits as they come: ``python benchmarks/attacked_class.py``.

Everything that breaks kernels or aims at the grader in `tests/support/payloads.py`, beside honest students, graded by
one ``proctor grade``. Prints who took how long, and fails if an honest student has less than full points.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

import payloads
import tiny_course
from commands import release, scores

ATTACKERS, HONEST = 53, 7
BUSY = """
import threading
def work():
    while True: pass
for _ in range(100): threading.Thread(target=work, daemon=True).start()
"""
MORE = {
    "busy-threads": payloads.RIGHT + BUSY,
    "busy-threads-asleep": payloads.RIGHT + BUSY + "import time\ntime.sleep(1000)\n",
    "endless-in-a-cell": payloads.WRONG + "\nwhile True: pass\n",
    "asleep-in-a-call": payloads.CALL_ONCE + "    import time; time.sleep(1000)\n",
}


def main() -> None:
    """Make the class, grade it, say how long it took."""
    attacks = {**MORE, **{name: code for name, (code, _) in payloads.BREAKING.items()}, **payloads.FORGED_OURS}
    chosen = list(attacks.items())[:ATTACKERS]
    with tempfile.TemporaryDirectory(prefix="attacked-") as folder:
        course = tiny_course.make(Path(folder) / "course")
        release(course, tiny_course.ASSIGNMENT)
        for name, code in chosen:
            tiny_course.submit(course, name, code if "def double" in code else f"{code}\n{payloads.WRONG}")
        honest = [f"{letter}-honest" for letter in "abeimtz"[:HONEST]]
        for name in honest:
            tiny_course.submit(course, name)
        began = time.monotonic()
        with subprocess.Popen(
            ["proctor", "grade", "--jobs", "2"], cwd=course, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as command:
            assert command.stderr
            for line in command.stderr:
                print(f"{time.monotonic() - began:6.0f} s  {line.rstrip()}", flush=True)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        found = scores(course)
    print(f"{len(chosen) + len(honest)} students in {time.monotonic() - began:.0f} s of {os.cpu_count()} processors; "
          f"{used.ru_utime + used.ru_stime:.0f} s computed")  # fmt: skip
    robbed = [name for name in honest if found.get(name) != 3]
    sys.exit(f"robbed of points: {', '.join(robbed)}" if robbed else 0)


if __name__ == "__main__":
    main()
