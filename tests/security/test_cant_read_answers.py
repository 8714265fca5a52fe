"""A student's process finds no answer, no grade and nobody else's work, wherever it looks."""

import textwrap
from pathlib import Path

GAINED = "GAINED"

SYSCALL = "import ctypes; libc = ctypes.CDLL(None, use_errno=True)\n"
SEARCH_MEMORY = """
import ctypes, sys
mark = (MARK[::-1][::-1] + "").encode()
def scan(pid):
    found = set()
    memory = open(f"/proc/{pid}/mem", "rb", 0)
    for line in open(f"/proc/{pid}/maps"):
        span, rights = line.split()[:2]
        begin, end = (int(x, 16) for x in span.split("-"))
        if "r" not in rights or "[v" in line or end - begin > 1 << 28: continue
        try:
            memory.seek(begin); data = memory.read(end - begin)
        except (OSError, ValueError, OverflowError): continue
        at = data.find(mark)
        while at >= 0:
            found.add(data[at:at + 30]); at = data.find(mark, at + 1)
    return found
"""


def test_cant_read_the_reference(attack):
    attack("print(open(REFERENCE).read())")


def test_cant_read_the_hidden_tests(attack):
    attack("print(open(HIDDEN_TEST).read())")


def test_cant_read_the_gradebook(attack):
    attack("print(open(GRADEBOOK, 'rb').read())")


def test_cant_read_a_neighbours_notebook(attack):
    attack("print(open(NEIGHBOUR).read())")


def test_cant_read_the_courses_settings(attack):
    attack("print(open(CONFIG).read())")


def test_cant_read_the_courses_git(attack):
    attack("print(open(GIT).read())")


def test_cant_read_the_home_folder(attack):
    attack("print(open(BASHRC).read())")


def test_cant_read_shared_memory_files(attack):
    attack("print(open(SHM).read())")


def test_cant_search_the_course(attack):
    attack("""
import os
for place, _, files in os.walk(COURSE):
    for name in files: print(open(os.path.join(place, name)).read())
""")


def test_cant_read_by_a_relative_path(attack):
    attack("import os; print(open(os.path.relpath(REFERENCE)).read())")


def test_cant_read_through_proc_self_root(attack):
    attack("print(open('/proc/self/root' + REFERENCE).read())")


def test_cant_read_through_another_process_root(attack):
    attack("print(open(f'/proc/{VICTIM}/root{REFERENCE}').read())")


def test_cant_read_through_the_graders_folder(attack):
    attack("import os; print(open(f'/proc/{GRADER}/root{REFERENCE}').read())")


def test_cant_import_the_reference(attack):
    attack(
        "import sys, os; sys.dont_write_bytecode = True; sys.path.insert(0, os.path.dirname(REFERENCE)); import reference; print(reference.double(1))"
    )


def test_cant_map_the_reference(attack):
    attack("import numpy; print(bytes(numpy.memmap(REFERENCE, mode='r')))")


def test_cant_read_from_c(attack):
    attack(
        SYSCALL
        + """
libc.fopen.restype = ctypes.c_void_p
file, text = libc.fopen(REFERENCE.encode(), b"r"), ctypes.create_string_buffer(200)
libc.fread(text, 1, 199, ctypes.c_void_p(file)) if file else None
print(text.value)
"""
    )


def test_cant_read_with_a_program(attack):
    attack("import subprocess; print(subprocess.run(['/bin/cat', REFERENCE], capture_output=True, text=True).stdout)")


def test_cant_read_with_magics(attack):
    attack("get_ipython().run_line_magic('pycat', REFERENCE); print(get_ipython().getoutput('cat ' + REFERENCE))")


def test_cant_link_to_the_reference(attack):
    attack("import os; os.symlink(REFERENCE, 'link'); print(open('link').read())")


def test_cant_hard_link_the_reference(attack, world):
    attack("import os; os.link(REFERENCE, OUTSIDE + '/hard'); print(open(OUTSIDE + '/hard').read())")


def test_cant_open_by_handle(attack, world):
    harmless = "" if world.constants["HANDLE"] else "this file system has no handles"
    attack(SYSCALL + """
import os
handle = bytes.fromhex(HANDLE)
for place in ("/", "/tmp", OUTSIDE, ".", "/usr/lib"):
    try: at = os.open(place, os.O_RDONLY)
    except OSError: continue
    file = libc.open_by_handle_at(at, ctypes.create_string_buffer(handle, len(handle)), os.O_RDONLY)
    if file >= 0: print(os.read(file, 1000))
""", harmless=harmless)  # fmt: skip


def test_cant_mount_the_course(attack):
    attack(
        SYSCALL
        + """
import os
os.makedirs("here", exist_ok=True)
libc.unshare(0x00020000); libc.mount(None, b"/", None, 0x4000 | 0x40000, None)
print(libc.mount(COURSE.encode(), b"here", None, ctypes.c_ulong(0x1000), None), os.listdir("here"))
print(open("here/gradebook.db").read())
"""
    )


def test_cant_use_a_user_namespace(attack):
    attack(SYSCALL + "libc.unshare(0x10000000) or won()", GAINED, harmless="needs a process with one thread")


def test_cant_use_io_uring(attack):
    # Where Linux has it switched off for all (io_uring_disabled), nothing can be shown.
    code = SYSCALL + "libc.syscall(425, 8, bytes(120)) < 0 or won()"
    attack(code, GAINED, harmless=_switched_off("/proc/sys/kernel/io_uring_disabled"))


def _switched_off(path):
    try:
        return "" if Path(path).read_text().strip() == "0" else f"{path} says so"
    except FileNotFoundError:
        return "this Linux has none"


def test_cant_read_the_graders_environment(attack):
    attack("print(open(f'/proc/{VICTIM}/environ').read())")


def test_cant_read_command_lines(attack):
    attack("print(open(f'/proc/{VICTIM}/cmdline').read())")


def test_cant_list_processes(attack):
    attack("import os; str(VICTIM) in os.listdir('/proc') and won(open(f'/proc/{VICTIM}/stat').read())", GAINED)


def test_cant_read_another_process_memory(attack):
    attack(f"{SEARCH_MEMORY}\nprint(scan(VICTIM))")


def test_cant_call_process_vm_readv(attack):
    attack(SYSCALL + """
address = next(int(line.split("-")[0], 16) for line in open(f"/proc/{VICTIM}/maps") if "[stack]" in line)
class Vec(ctypes.Structure): _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]
got = ctypes.create_string_buffer(8)
if libc.process_vm_readv(VICTIM, Vec(ctypes.addressof(got), 8), 1, Vec(address, 8), 1, 0) == -1: pass
last = 0
for line in open(f"/proc/{VICTIM}/maps"):
    begin = int(line.split("-")[0], 16)
    last = max(last, libc.process_vm_readv(VICTIM, ctypes.byref(Vec(ctypes.addressof(got), 8)), 1, ctypes.byref(Vec(begin, 8)), 1, 0))
last == 8 and won()
""", GAINED)  # fmt: skip


def test_cant_trace_another_process(attack):
    attack(SYSCALL + "libc.ptrace(16, VICTIM, 0, 0) == 0 and won(); libc.ptrace(17, VICTIM, 0, 0)", GAINED)


def test_cant_read_the_graders_variables(attack):
    attack("import os; print(os.environ.get('PROCTOR_TEST_SECRET'))", inside=True)


def test_cant_find_it_in_the_variables_it_started_with(attack):
    attack("print(open('/proc/self/environ').read())", inside=True)


def test_cant_find_it_among_objects(attack):
    attack("""
import gc
for item in gc.get_objects():
    for value in list(getattr(item, "__dict__", None) or {}).copy() if False else [item]:
        try: values = list(value.values()) if type(value) is dict else list(value) if type(value) in (list, tuple) else list(vars(value).values())
        except Exception: continue
        for text in values:
            if type(text) is str and text.startswith(MARK) and len(text) > 20: print(text)
""", inside=True)  # fmt: skip


def test_cant_find_it_in_frames(attack):
    attack("""
import sys
frame = sys._getframe()
while frame:
    for value in list(frame.f_locals.values()):
        print(getattr(value, "secret", ""))
    frame = frame.f_back
""", inside=True)  # fmt: skip


def test_cant_find_it_in_modules(attack):
    attack(
        "import sys; print([getattr(m, 'Jailer', None) and m.os.environ['PROCTOR_TEST_SECRET'] for m in list(sys.modules.values())])",
        inside=True,
    )


def test_cant_find_it_in_its_own_memory(attack):
    # The constants of this test hold only the canary's beginning. `inside` reads the grader's memory.
    code = f"""{SEARCH_MEMORY}
def own():
    found = set()
    for line in open("/proc/self/maps"):
        span, rights = line.split()[:2]
        begin, end = (int(x, 16) for x in span.split("-"))
        if not rights.startswith("rw") or "[v" in line or end - begin > 1 << 28: continue
        data = ctypes.string_at(begin, end - begin)
        at = data.find(mark)
        while at >= 0:
            found.add(data[at:at + 30]); at = data.find(mark, at + 1)
    return found
print(own())
"""
    attack(code, inside=True, fresh=True)


def test_cant_use_inherited_descriptors(attack):
    attack("""
import os
kinds = []
for number in range(3, 256):
    try: target = os.readlink(f"/proc/self/fd/{number}")
    except OSError: continue
    if target.startswith("/") and not target.startswith(("/dev/null", "/dev/urandom", "/proc")): kinds.append(target)
kinds and won()
""", GAINED, harmless="the warm process is started with its own channel alone, sandboxed or not", fresh=True)  # fmt: skip


def test_cant_steal_the_channel_of_the_warm_process(attack):
    attack(SYSCALL + """
import os, socket
warm = libc.syscall(434, os.getppid(), 0)
stolen = [fd for fd in (libc.syscall(438, warm, number, 0) for number in range(3, 32)) if fd >= 0]
stolen and won()
""", GAINED)  # fmt: skip


def test_cant_reach_the_warm_process_through_proc(attack):
    attack("import os; os.listdir(f'/proc/{os.getppid()}/fd') and won()", GAINED)


def test_cant_find_where_the_grader_works(attack, world):
    """Neither paths nor names of the course: the next attack would start there."""
    attack("import os; won(os.readlink(f'/proc/{GRADER}/cwd'), open(f'/proc/{GRADER}/maps').read())", GAINED)


def test_cant_read_kernel_memory(attack):
    harmless = "no such device here, or Linux is locked down"
    attack(
        """
for path in ("/dev/mem", "/dev/kmem", "/proc/kcore", "/dev/kmsg", "/proc/kallsyms", "/dev/vda"):
    try: open(path, "rb").read(1) and won()
    except OSError: pass
""",
        GAINED,
        harmless=harmless,
    )


def test_the_attacks_know_no_secret(world):
    """None of the constants that the attacks are given is what they look for."""
    assert world.secret not in textwrap.dedent(repr(world.constants))
