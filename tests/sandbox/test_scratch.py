"""The folders that students' processes work in, when a worker has to give them up in the middle of its work."""

import subprocess
import sys

BUSY = """
import itertools, os, threading
from proctor.sandbox.scratch import abandon, scratch_folder

def fill(started):
    with scratch_folder() as folder:
        for number in itertools.count():
            try:
                (folder / str(number)).write_text("")
            except OSError:
                pass
            started.set()

def make():
    while True:
        with scratch_folder():
            pass

started = threading.Event()
threading.Thread(target=fill, args=(started,), daemon=True).start()
threading.Thread(target=make, daemon=True).start()
started.wait()
abandon()
os._exit(0)
"""


def test_nothing_is_left_by_a_worker_that_ends_while_it_fills_and_makes_folders(tmp_path):
    """A run that is killed leaves no folder, whatever its workers are doing at that moment."""
    for _ in range(5):
        subprocess.run([sys.executable, "-c", BUSY], env={"TMPDIR": str(tmp_path)}, check=True, timeout=60)
        assert list(tmp_path.iterdir()) == []
