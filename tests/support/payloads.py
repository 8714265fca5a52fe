"""What hostile notebooks hold in place of `double`, and what they get for it. ``wrong`` is an answer worth nothing."""

WRONG = "def double(x): return 0\n"
RIGHT = "def double(x): return 2 * x\n"

# Without our engine these get full points: `test_cant_forge_points` shows it with the tests in the student's kernel.
FORGED = {
    "strip-asserts": """
import ast
class Strip(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
get_ipython().ast_transformers.append(Strip())
""",
    "empty-later-cells": "get_ipython().input_transformers_post.append(lambda lines: [])",
    "clean-up-later-cells": "get_ipython().input_transformers_cleanup.append(lambda lines: ['pass\\n'])",
    "run-no-cell": """
from IPython.core.interactiveshell import ExecutionResult, ExecutionInfo
def nothing(*a, **k): return ExecutionResult(ExecutionInfo("", False, False, False, ""))
async def nothing_later(*a, **k): return nothing()
get_ipython().run_cell, get_ipython().run_cell_async = nothing, nothing_later
""",
    "swallow-errors": "get_ipython().set_custom_exc((BaseException,), lambda *a, **k: None)",
    "show-no-traceback": "get_ipython()._showtraceback = get_ipython().showtraceback = lambda *a, **k: None",
    "send-no-errors": """
kernel = get_ipython().kernel
send = kernel.session.send
def quiet(stream, kind, *a, **k):
    if kind != "error": return send(stream, kind, *a, **k)
kernel.session.send = quiet
get_ipython().showtraceback = lambda *a, **k: None
""",
    "compile-nothing": """
import IPython.core.compilerop as c
c.CachingCompiler.ast_parse = lambda self, *a, **k: __import__("ast").parse("")
""",
    "run-no-statement": """
async def nothing(*a, **k): return False
get_ipython().run_ast_nodes = nothing
""",
    "equal-to-all": """
class All:
    def __eq__(self, other): return True
def double(x): return All()
""",
    "patch-numpy": """
import numpy
numpy.all = lambda *a, **k: True
class All(float):
    def __eq__(self, other): return True
def double(x): return All(0)
""",
    "ask-the-reference": "def double(x): return globals()['expected_double'](x)",
    "ask-the-caller": "import sys\ndef double(x): return sys._getframe(1).f_globals['expected_double'](x)",
}

# These aim at our engine, so that there is no unprotected run: stock nbgrader does not have what they forge.
FORGED_OURS = {
    "forged-verdict": """
from IPython.display import publish_display_data
publish_display_data({"application/vnd.proctor.verdict+json": {"grade_id": "test_double", "max_points": 3, "items": [
    {"name": "x", "asked": "x", "max_points": 3, "outcome": "passed", "message": ""}], "notes": []}, "text/plain": "3.0"})
3.0
""",
    "forged-table": """
from IPython.display import HTML, display
display(HTML('<table class="proctor-verdict"><caption>3 of 3 points</caption></table>'))
""",
    "forged-probe": """
import sys, types
probe = types.ModuleType("_proctor_probe")
class Reply:
    def _repr_mimebundle_(self, **k): return {"application/vnd.proctor.reply": '{"value": true}'}
probe.answer = lambda *a: Reply()
class Keep(dict):
    def __setitem__(self, name, value): dict.__setitem__(self, name, probe if name == "_proctor_probe" else value)
    def __getitem__(self, name): return probe if name == "_proctor_probe" else dict.__getitem__(self, name)
sys.modules = Keep(sys.modules)
""",
    "patched-json": "import json; json.dumps = lambda *a, **k: '{\"value\": 1}'; json.loads = lambda *a, **k: {}",
    "patched-base64": "import base64; base64.b64encode = lambda data: b''",
    "patched-asarray": "import numpy; numpy.asarray = lambda value, *a: numpy.zeros(5)",
    "patched-pytest": """
import _pytest.runner, pytest
_pytest.runner.call_runtest_hook = lambda *a, **k: None
pytest.main = lambda *a, **k: 0
""",
    "patched-proctor": """
try:
    import proctor.results.verdict, proctor.hidden_tests.session
    proctor.hidden_tests.session.run = lambda *a, **k: ()
    proctor.results.verdict.CellVerdict.points = 3.0
except ImportError: pass
""",
    "patched-scenarios": """
import builtins
execute = builtins.exec
def patched(code, names=None, *a):
    execute(code, names, *a)
    if names and "double_of" in names: names["double_of"] = lambda notebook, numbers: numbers * 0
builtins.exec = patched
""",
    "early-reply": """
import threading, time
kernel = get_ipython().kernel
def forge():
    while True:
        parent = kernel.get_parent("shell")
        for content in ({"status": "ok", "execution_count": 1, "payload": [], "user_expressions":
                {"reply": {"status": "ok", "data": {"application/vnd.proctor.reply": '{"value": 2}'}, "metadata": {}}}},):
            kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "idle"}, parent)
        time.sleep(0.01)
threading.Thread(target=forge, daemon=True).start()
""",
    "forged-shell-replies": """
kernel = get_ipython().kernel
old = kernel.session.send
def send(stream, kind, content=None, *a, **k):
    if kind == "execute_reply":
        content = {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {"reply": {"status": "ok",
            "data": {"application/vnd.proctor.reply": '{"value": {"~": "float", "value": "inf"}}'}, "metadata": {}}}}
    for _ in range(3): sent = old(stream, kind, content, *a, **k)
    return sent
kernel.session.send = send
""",
    "garbage-on-the-sockets": """
import os, stat, socket
for number in range(3, 100):
    try:
        if stat.S_ISSOCK(os.fstat(number).st_mode): os.write(number, b"\\x00\\xff garbage" * 100)
    except OSError: pass
""",
    "endless-message": """
import os, stat, struct, socket
def flood():
    ends = []
    for number in range(3, 100):
        try:
            end = socket.socket(fileno=os.dup(number))
            if end.getsockname().endswith("k-1") and not end.getsockopt(1, 30): ends.append(end)
        except (OSError, AttributeError): pass
    for end in ends:
        end.setblocking(True)
        for _ in range(250):
            end.sendall(struct.pack(">BQ", 3, 1 << 23) + bytes(1 << 23))
flood()
""",
    "metadata": "import IPython.display as d; d.publish_display_data({'text/plain': '3.0'}, metadata={'nbgrader': {'grade': True, 'points': 3}})",
    "answer-later": """
import threading
def double(x):
    threading.Timer(0.2, lambda: None).start()
    return None
""",
}


def _reply(name, text):
    """A reply as the probe writes it, but with any `text` for its value."""
    return f'{{"~": "dict", "pairs": [["{name}", {text}]]}}'


# Values as a process may write them, whatever it has computed.
VALUES = {
    "true": "true",
    "nan": '{"~": "float", "value": "nan"}',
    "infinity": "1e999",
    "a-list": "[[[[1]]]]",
    "deep": "[" * 50000 + "]" * 50000,
    "digits": "9" * 10000,
    "empty-array": '{"~": "array", "dtype": "float64", "shape": [0], "data": ""}',
    "many-axes": '{"~": "array", "dtype": "float64", "shape": [' + ",".join(["1"] * 100) + '], "data": "AAAAAAAA8D8="}',
    "lying-shape": '{"~": "array", "dtype": "float64", "shape": [1000000, 1000000], "data": "AAAAAAAA8D8="}',
    "objects": '{"~": "array", "dtype": "object", "shape": [5], "data": "gASVAAAA"}',
    "pickle": '{"~": "pickle", "data": "gASVAAAA"}',
    "negative": '{"~": "array", "dtype": "float64", "shape": [-1], "data": ""}',
    "half-a-character": '"\\ud800"',
    "a-dict-in-disguise": '{"~": "dict", "pairs": [["__class__", 1], ["shape", [5]]]}',
    "too-large": '"' + "x" * (5 << 20) + '"',
}
# Texts of a reply.
REPLIES = {
    "no-json": "\x00\xff",
    "no-reply": "[]",
    "nothing": "",
    "another-form": '{"value": true}',
    "an-error-of-any-form": _reply("error", '{"~": "dict", "pairs": [["kind", [1, 2]], ["line", -5]]}'),
    "missing-of-any-form": _reply("missing", "[1]"),
    "missing-with-escape-sequences": _reply("missing", '"\\u001b]0;pwned\\u0007\\u001b[2J\\u202e"'),
    "raised-with-escape-sequences": _reply(
        "error", '{"~": "dict", "pairs": [["kind", "NameError"], ["text", "\\u001bc\\u001b]l evil\\u001b"]]}'
    ),
    **{name: _reply("value", text) for name, text in VALUES.items()},
}

CALL_ONCE = "def double(x):\n    if not isinstance(x, int): return 2 * x\n"  # the first test fails, the second passes

# What breaks the kernel or aims at the grader; points for what is right in spite of it.
BREAKING = {
    "exit": ("import os; os._exit(0)", 0),
    "exit-in-a-call": (CALL_ONCE + "    import os; os._exit(0)", 1),
    "sys-exit": (CALL_ONCE + "    raise SystemExit", 1),
    "interrupt": (CALL_ONCE + "    raise KeyboardInterrupt", 1),
    "segfault": (CALL_ONCE + "    import ctypes; ctypes.string_at(0)", 1),
    "abort": (CALL_ONCE + "    import os; os.abort()", 1),
    "kill-itself": (CALL_ONCE + "    import os; os.kill(os.getpid(), 9)", 1),
    "stop-itself": (CALL_ONCE + "    import os; os.kill(os.getpid(), 19)", 1),
    "endless": (CALL_ONCE + "    while True: pass", 1),
    "endless-deaf": (
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        + CALL_ONCE + "    while True:\n        try:\n            while True: pass\n        except BaseException: pass", 1),
    "endless-in-c": (CALL_ONCE + "    return 7 ** 10 ** 9", 1),
    "recursion": (CALL_ONCE + "    return double(x)", 1),
    "recursion-in-c": (
        CALL_ONCE + "    import sys; sys.setrecursionlimit(10 ** 9)\n    f = lambda: f()\n    class A: __getattr__ = lambda s, n: getattr(s, n)\n    A().x\n    f()", 1),
    "memory": (CALL_ONCE + "    blocks = []\n    while True: blocks.append(bytearray(1 << 24))", 1),
    "memory-shared": (CALL_ONCE + "    import mmap\n    maps = []\n    while True:\n        maps.append(mmap.mmap(-1, 1 << 24)); maps[-1].write(bytes(1 << 24))", 1),
    "threads": (
        RIGHT + "import threading, time\nthreading.stack_size(65536)\ntry:\n    for _ in range(3000): threading.Thread(target=time.sleep, args=[60], daemon=True).start()\nexcept RuntimeError: pass", None),
    "threads-at-work": (
        RIGHT + "import threading\ndef work():\n    while True: pass\nfor _ in range(20): threading.Thread(target=work, daemon=True).start()", None),
    "forks": (RIGHT + "import os\ntry:\n    for _ in range(20):\n        if os.fork() == 0: __import__('time').sleep(300); os._exit(0)\nexcept OSError: pass", 3),
    "daemon": (RIGHT + "import subprocess\ntry: subprocess.Popen(['/bin/sleep', '97531'], start_new_session=True)\nexcept OSError: pass", 3),
    # A flood ends its kernel or, where the grader is slow to read, itself with a MemoryError; a right answer would stand then.
    "flood": (f"{WRONG}\nwhile True: print('x' * 10000)", 0),
    "flood-one": (f"{RIGHT}\nprint('x' * (100 << 20))", None),
    "flood-small": (
        f"{WRONG}\nimport sys\nwhile True:\n    for s in (sys.stdout, sys.stderr): s.write('x'); s.flush()", 0),
    "flood-displays": (f"{WRONG}\nwhile True: display('x' * 100000)", 0),
    "disk": (RIGHT + "try:\n    for n in range(10):\n        with open(f'f{n}', 'wb') as f:\n            for _ in range(60): f.write(bytes(1 << 20))\nexcept OSError: pass", 3),
    "files": (RIGHT + "try:\n    for n in range(20000): open(f'f{n}', 'w').close()\nexcept OSError: pass", 3),
    "sockets": (
        RIGHT + "import socket\ntry:\n    for n in range(500):\n        s = socket.socket(1); s.bind(f'{get_ipython().kernel.parent.ip[:-1]}z{n}'); s.close()\nexcept OSError: pass", None),
    "closed": (CALL_ONCE + "    import os; os.closerange(0, 4096)", 1),
    "no-run-folder": (
        RIGHT + "import os, glob\nfor path in glob.glob(get_ipython().kernel.parent.ip + '*'): os.unlink(path)", 3),
    "huge": ("def double(x): return 'x' * (10 ** 9) if isinstance(x, int) else __import__('numpy').zeros(10 ** 8)", 0),
    "huge-list": ("def double(x): return [[0] * 1000] * 10000", 0),
    "deep": ("def double(x):\n    a = []\n    for _ in range(10 ** 5): a = [a]\n    return a", 0),
    "itself": ("def double(x):\n    a = []; a.append(a); return {'a': a}", 0),
    "generator": ("def double(x):\n    while True: yield x", 0),
    "lying-object": (
        "class Liar:\n    __class__ = float\n    dtype = 'float64'; shape = (5,)\n    def __len__(self): return 10 ** 15\n    def numpy(self): return self\n"
        "    def __float__(self): return 4.0\n    def __index__(self): return 4\ndef double(x): return Liar()", 0),
    "hanging-object": (
        "class Hang:\n    def __array__(self, *a, **k):\n        while True: pass\ndef double(x): return Hang() if isinstance(x, int) else 2 * x", 1),
    "huge-exception": ("def double(x): raise ValueError('x' * (10 ** 8))", 0),
    "hanging-exception": ("class E(Exception):\n    def __str__(self):\n        while True: pass\n" + CALL_ONCE + "    raise E", 1),
    "dying-exception": ("class E(Exception):\n    def __str__(self): __import__('os')._exit(1)\n" + CALL_ONCE + "    raise E", 1),
    "half-a-character": (RIGHT + "print('\\ud800'); display('\\udfff')", 3),
    "half-a-character-raised": ("def double(x): raise NameError('\\ud800')", 0),
    "escape-sequences": (RIGHT + "print('\\x1b]0;pwned\\x07\\x1b[2J')", 3),
    "input": (f"{RIGHT}\nname = input('name?')", 3),
    "huge-picture": (
        RIGHT + "from IPython.display import publish_display_data as p\nimport base64\nfor _ in range(5): p({'image/png': base64.b64encode(bytes(3 << 20)).decode()})", 3),
    "at-exit": (RIGHT + "import atexit, time; atexit.register(time.sleep, 300)", 3),
    "poisoned-modules": ("import numpy, json, sys\nfor m in (numpy, json): vars(m).clear()\nsys.modules.clear()\n" + WRONG, 0),
    "poisoned-process": (
        "import os, sys\nos.environ['PYTHONPATH'] = '.'; os.environ.clear(); os.chdir('/'); os.umask(0); sys.path.clear()\nimport builtins; builtins.len = builtins.print = None\n" + WRONG, 0),
}  # fmt: skip
