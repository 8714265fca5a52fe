"""What one kernel does to itself and around it, the next one does not notice."""

import pytest

GAINED = "GAINED"
# What is done in a first kernel, and how a second one would notice. Without a sandbox a kernel of this package is a
# process of its own, too, so that most of these only work where kernels share a process: there both parts run in one.
POISON = {
    "modules": ("import numpy, json; numpy.poisoned = json.poisoned = True", "import numpy; hasattr(numpy, 'poisoned') and won()"),
    "builtins": ("import builtins; builtins.poisoned = True", "import builtins; hasattr(builtins, 'poisoned') and won()"),
    "new-modules": ("import sys, types; sys.modules['proctor_poison'] = types.ModuleType('p')", "import proctor_poison; won()"),
    "environment": ("import os; os.environ['PROCTOR_POISON'] = '1'", "import os; 'PROCTOR_POISON' in os.environ and won()"),
    "c-environment": (
        "import ctypes; ctypes.CDLL(None).setenv(b'PROCTOR_POISON', b'1', 1)",
        "import ctypes; c = ctypes.CDLL(None); c.getenv.restype = ctypes.c_char_p; c.getenv(b'PROCTOR_POISON') and won()"),
    "path": ("import sys; sys.path.insert(0, '/poison')", "import sys; '/poison' in sys.path and won()"),
    "working-folder": ("import os; os.chdir('/usr/lib')", "import os; os.getcwd() == '/usr/lib' and won()"),
    "umask": ("import os; os.umask(0o123)", "import os; os.umask(0o77) == 0o123 and won()"),
    "limits": (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))",
        "import resource; resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 200 and won()"),
    "signals": ("import signal; signal.signal(signal.SIGUSR1, signal.SIG_IGN)", "import signal; signal.getsignal(signal.SIGUSR1) == signal.SIG_IGN and won()"),
    "memory": (
        "import ctypes, numpy; ctypes.memmove(id(numpy.pi) + 16, (ctypes.c_double * 1)(4.0), 8)",
        "import numpy; numpy.pi == 4.0 and won()"),
    "integers": ("import ctypes; ctypes.memmove(id(250) + 24, (ctypes.c_int * 1)(7), 4)", "x = int('250'); x == int('7') and won()"),
    "files": ("open('left.py', 'w').write('x = 1')", "import os; os.path.exists('left.py') and won()"),
    "temporary-files": (
        "import tempfile, os; open(os.path.join(tempfile.gettempdir(), 'left'), 'w')",
        "import tempfile, os; os.path.exists(os.path.join(tempfile.gettempdir(), 'left')) and won()"),
    "start-up-files": (
        "import os; p = os.path.join(os.environ['IPYTHONDIR'], 'profile_default/startup'); os.makedirs(p, exist_ok=True); open(p + '/00.py', 'w').write('poisoned = 1')",
        "'poisoned' in globals() and won()"),
    "caches": (
        "import os; open(os.path.join(os.environ['MPLCONFIGDIR'], 'fontlist-poison.json'), 'w')",
        "import os; os.path.exists(os.path.join(os.environ['MPLCONFIGDIR'], 'fontlist-poison.json')) and won()"),
    "threads": (
        "import threading, time; threading.Thread(target=time.sleep, args=[99], daemon=True, name='poison').start()",
        "import threading; any(t.name == 'poison' for t in threading.enumerate()) and won()"),
    "random-numbers": ("import numpy; numpy.random.seed(1)", "import numpy; numpy.random.random() == 0.417022004702574 and won()"),
}  # fmt: skip


@pytest.mark.parametrize("name", POISON)
def test_cant_poison_the_next_kernel(prisons, world, name):
    """Shown to work inside one kernel, then between two kernels of one warm process."""
    poison, notice = POISON[name]
    same = prisons[""].ask(f"{poison}\n{notice}", fresh=True)
    assert GAINED in same["out"] or name == "start-up-files", same
    most, *_, least = prisons
    for how, prison in ((most, prisons[most]), (least, prisons[least])):
        prison.ask(poison, fresh=True)
        done = prison.ask(notice, fresh=True)
        assert done["end"] in ("ok", "error"), (how, done)
        assert GAINED not in done["out"], (how, done)
    assert not world.restore()


def test_cant_start_anything_from_files_that_were_handed_in(prisons):
    """A kernel starts before it reads a byte of the student's: no settings, no start-up file, no module of its name."""
    evil = "import os\nfor n in range(3, 64):\n    try: os.write(n, b'garbage')\n    except OSError: pass\nran = 1\n"
    profile = ".ipython/profile_default"
    files = dict.fromkeys((f"{profile}/startup/00.py", f"{profile}/ipython_config.py", "readline.py"), evil)
    files["mine.py"] = "ran = 1"
    for prison in prisons.values():
        done = prison.ask("'ran' in globals() and won(); import mine; print(mine.ran)", files=files)
        assert (done["end"], done["out"]) == ("ok", "1\n")


def test_cant_leave_sockets_without_end(prisons):
    """The run folder is shared with the grader: a kernel that fills it is ended, with the reason."""
    code = """
import socket, time
for n in range(200):
    s = socket.socket(1); s.bind(f"{get_ipython().kernel.parent.ip[:-1]}z{n}"); s.close()
time.sleep(5)
"""
    for prison in prisons.values():
        done = prison.ask(code, fresh=True)
        assert done["end"] == "died"
        assert "sockets" in done["why"]


LOCKS = {
    "flock": "fcntl.flock(kept, fcntl.LOCK_EX | fcntl.LOCK_NB)",
    "lockf": "fcntl.lockf(kept, fcntl.LOCK_SH | fcntl.LOCK_NB, 7, 13)",
    "open-file-description": "fcntl.fcntl(kept, 37, struct.pack('hhqqi', fcntl.F_RDLCK, 0, 13, 7, 0))",
}
SEES = """
try: fcntl.flock(kept, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError: won()
if struct.unpack("hhqqi", fcntl.fcntl(kept, fcntl.F_GETLK, struct.pack("hhqqi", fcntl.F_WRLCK, 0, 13, 7, 0)))[0] != fcntl.F_UNLCK: won()
"""


@pytest.mark.parametrize("name", LOCKS)
def test_cant_talk_through_locks(prisons, name):
    """A file of a library that all kernels read: what one locks, no other notices, while both are there."""
    file = "import fcntl, struct; kept = open(NUMPY + '/__init__.py')\n"
    most, *_, least = prisons.values()
    most.ask(file + LOCKS[name], sandboxed=False)
    assert GAINED in least.ask(file + SEES, sandboxed=False)["out"], "no channel even without a sandbox"
    most.ask("kept.close()", sandboxed=False)
    for one, other in ((most, least), (least, most)):
        assert one.ask(file + LOCKS[name])["end"] == "ok"
        assert GAINED not in other.ask(file + SEES)["out"]


def test_cant_fill_the_run_folder(prisons):
    """Where there is no Landlock to say that only sockets may be made there, what is written is counted."""
    code = """
import os, time
place = os.path.dirname(get_ipython().kernel.parent.ip)
with open(place + "/f", "wb") as file:
    for _ in range(60): file.write(bytes(1 << 20))
time.sleep(20); won()
"""
    layers = ("namespaces", "limits", "user", "seccomp")
    done = next(iter(prisons.values())).ask(code, fresh=True, seconds=60, layers=layers)
    assert (done["end"], done["why"]) == ("died", "disk")


def test_cant_hide_folders_from_whoever_counts(prisons):
    """Folders in folders, deeper than Python can walk: without a file system of its own, such a kernel is ended."""
    code = "import os, time\nfor _ in range(1500): os.mkdir('d'); os.chdir('d')\ntime.sleep({}); won()"
    for how, prison in prisons.items():
        done = prison.ask(code.format(30 if "no-namespaces" in how else 0), fresh=True, seconds=60)
        assert GAINED not in done["out"] or "no-namespaces" not in how
        assert prison.ask("won()", fresh=True)["out"] == f"{GAINED}\n"


def test_cant_fill_memory_with_page_tables(prisons):
    """Looking at pages of a huge, empty mapping takes memory of Linux's own, which no limit counts: the kernel is ended."""
    code = """
import mmap, time
m = mmap.mmap(-1, 1 << 38, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, prot=mmap.PROT_READ)
for at in range(0, 1 << 38, 1 << 21): m[at]
time.sleep(30); won()
"""
    for prison in prisons.values():
        done = prison.ask(code, fresh=True, seconds=60)
        assert GAINED not in done["out"]
        assert "page tables" in done["why"]
