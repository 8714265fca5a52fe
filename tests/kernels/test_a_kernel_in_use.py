"""A warm kernel does what an ordinary one does."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from proctor.kernels.manager import start_kernel_for
from proctor.light_kernel.shell import CALLS_BETWEEN
from proctor.notebook.student_kernel import StudentKernel
from proctor.sandbox import machine
from proctor.sandbox.policy import LAYERS, Policy


def test_runs_code_and_keeps_names(kernel: Any) -> None:
    """What one cell defines, the next one uses."""
    kernel.run("x = 20")
    assert kernel.run("print(x + 1)") == "21"


def test_prints_from_python_and_below(kernel: Any) -> None:
    """Output that goes past Python, straight to the descriptor, arrives as well."""
    assert "from below" in kernel.run("import os; os.write(1, b'from below\\n'); import time; time.sleep(0.5)")


def test_says_nothing_that_nobody_hears(kernel: Any) -> None:
    """Of a cell without outputs comes one message, that all is done; for streams without output, no thread is asked."""
    (idle,) = kernel.messages("x = 1")
    assert idle["content"] == {"execution_state": "idle"}
    code = """
import sys
asked, schedule = [], sys.stdout.pub_thread.schedule
sys.stdout.pub_thread.schedule = lambda event: asked.append(event) or schedule(event)
sys.stdout.flush(); sys.stderr.flush(); before = len(asked)
print("x"); sys.stdout.flush()
print(before, len(asked) > 0)
"""
    assert kernel.run(code) == "x\n0 True"
    names = kernel.run("import threading; print(*(thread.name for thread in threading.enumerate()))")
    assert "IOPub" in names
    assert not {"Heartbeat", "Shell"} & set(names.split())


def test_waits_for_what_is_printed_below_python_and_not_in_a_call(kernel: Any) -> None:
    """Half a millisecond a cell; what a call of a hidden test prints, nobody looks at."""
    kernel.run("import time; sleep, slept = time.sleep, []; time.sleep = lambda s: slept.append(s) or sleep(s)")
    kernel.run("before = len(slept)")
    kernel.client.execute("1 + 1", silent=True)
    assert kernel.run("print(before, len(slept))") == "1 2"


def test_awaits(kernel: Any) -> None:
    """A cell can wait for a coroutine, and be followed by another."""
    assert kernel.run("import asyncio; await asyncio.sleep(0.01); print('awaited')") == "awaited"
    assert kernel.run("print('ran')") == "ran"


def test_reads_a_cell_once(kernel: Any) -> None:
    """A notebook's own transformer sees a cell once, also one that it has seen before; one that is new takes part."""
    add = "get_ipython().input_transformers_cleanup.append"
    kernel.run(f"seen = []; {add}(lambda lines: seen.append(lines) or lines)")
    assert [kernel.run("print(len(seen))") for _ in range(2)] == ["1", "2"]
    kernel.run(f"{add}(lambda lines: [line.replace('len', '-len') for line in lines])")
    assert kernel.run("print(len(seen))") == "-4"


def test_has_what_was_preloaded(kernel: Any) -> None:
    """TensorFlow is there before the notebook asks for it."""
    assert kernel.run("import sys; print('tensorflow' in sys.modules)") == "True"


def test_computes_with_tensorflow(kernel: Any) -> None:
    """Gradients, a compiled function and a Keras fit work inside the sandbox."""
    code = """
import tensorflow as tf
w = tf.Variable(3.0)
with tf.GradientTape() as tape:
    y = w * w
print(float(tape.gradient(y, w)))
@tf.function(jit_compile=True)
def total(x):
    return tf.reduce_sum(x * x)
print(float(total(tf.ones((3, 3)))))
model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile("adam", "mse")
model.fit(tf.ones((8, 2)), tf.ones((8, 1)), verbose=0)
model.save("model.keras")
print(tf.keras.models.load_model("model.keras").count_params())
"""
    assert kernel.run(code).split() == ["6.0", "9.0", "3"]


def test_shows_plots_inline(kernel: Any) -> None:
    """A figure arrives as a PNG picture, with show() and without."""
    for end in ("plt.show()", "None"):
        seen = kernel.messages(f"import matplotlib.pyplot as plt\nplt.scatter([1, 2], [3, 4])\n{end}")
        pictures = [m["content"]["data"] for m in seen if m["msg_type"] == "display_data"]
        assert [list(data)[1] for data in pictures] == ["image/png"]


@pytest.mark.parametrize("before", ["", "%matplotlib inline\n"])
def test_draws_a_figure_once(kernel: Any, before: str) -> None:
    """Half of what a picture costs, also where the notebook asks for inline pictures itself."""
    code = """
import matplotlib.pyplot as plt
from matplotlib.figure import Figure
draw, drawn = Figure.draw, []
Figure.draw = lambda figure, renderer: drawn.append(figure) or draw(figure, renderer)
plt.plot([1, 2]); plt.legend(["line"]); plt.show(); print(len(drawn))
"""
    assert kernel.run(before + code) == "1"


def test_starts_threads(kernel: Any) -> None:
    """Threads are no processes: they work."""
    code = "import threading; t = threading.Thread(target=print, args=('in a thread',)); t.start(); t.join()"
    assert kernel.run(code) == "in a thread"


def test_uses_what_python_programs_use(kernel: Any) -> None:
    """Temporary files, copies, callbacks into C, archives: the everyday library works inside the sandbox."""
    code = """
import ctypes, shutil, tempfile, sqlite3, zipfile, pathlib, asyncio, getpass, datetime
with tempfile.NamedTemporaryFile() as file:
    file.write(b"x")
pathlib.Path("a.txt").write_text("a"); shutil.copy("a.txt", "b.txt"); shutil.rmtree(tempfile.mkdtemp())
with zipfile.ZipFile("z.zip", "w") as archive:
    archive.write("b.txt")
compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda n: n + 1)
sqlite3.connect("data.db").execute("create table t (n)").close()
print(compare(1), getpass.getuser(), pathlib.Path.home() == pathlib.Path.cwd(), datetime.datetime.now().year > 2000)
"""
    assert kernel.run(code) == "2 student True True"


def test_starts_in_a_copy_of_the_submission(start: Callable[..., Any], tmp_path: Path) -> None:
    """The files handed in are there; links are not followed."""
    scratch = tmp_path / "scratch0"
    (scratch / "data").mkdir(parents=True)
    (scratch / "data" / "points.csv").write_text("1,2")
    (scratch / "link").symlink_to("/etc/passwd")
    kernel = start()
    assert kernel.run("print(open('data/points.csv').read())") == "1,2"
    assert kernel.run("open('link')") in ("FileNotFoundError", "PermissionError")


def test_main_module_and_arguments_are_clean(kernel: Any) -> None:
    """A notebook sees its own __main__ and an ordinary command line."""
    code = "import __main__, sys; print(__main__.__dict__ is globals(), sys.argv, hasattr(__main__, 'channel'))"
    assert kernel.run(code) == "True ['ipykernel_launcher.py'] False"


def test_kernels_draw_different_random_numbers(start: Callable[..., Any]) -> None:
    """Forked from one process, yet each has its own random state, as separate programs have."""
    code = """
import random, numpy, tensorflow as tf
print(random.random(), numpy.random.rand(), float(tf.random.uniform(())))
"""
    first, second = (start().run(code).split() for _ in range(2))
    assert all(a != b for a, b in zip(first, second, strict=True))


def test_eight_kernels_at_once(start: Callable[..., Any]) -> None:
    """Kernels do not mix."""
    kernels = [start() for _ in range(8)]
    for number, kernel in enumerate(kernels):
        kernel.run(f"n = {number}")
    assert [kernel.run("print(n)") for kernel in kernels] == [str(number) for number in range(8)]
    assert len({kernel.pid for kernel in kernels}) == 8


def test_starts_inside_a_running_event_loop(start: Callable[..., Any]) -> None:
    """JupyterLab's server grades from within its asyncio loop."""

    async def grade() -> str:
        return start().run("print('graded')")

    with ThreadPoolExecutor(1) as server:
        assert server.submit(asyncio.run, grade()).result() == "graded"


def test_environment_is_an_allow_list(kernel: Any) -> None:
    """Neither os.environ nor /proc tells anything of the grader's environment."""
    code = "import os; print(sorted(os.environ)); print(open('/proc/self/environ').read())"
    text = kernel.run(code)
    for name in ("PROCTOR", "VIRTUAL_ENV", "PYTEST", str(Path.home())):
        assert name not in text


def test_no_descriptor_of_the_grader_is_open(kernel: Any, warm_process: Any) -> None:
    """The channel, the lifeline and files of the grader are closed before any student code runs."""
    descriptors = [entry for entry in Path(f"/proc/{warm_process.pid}/fd").iterdir() if int(entry.name) > 2]
    inherited = {str(entry.readlink()) for entry in descriptors}
    code = """
import os
for fd in os.listdir('/proc/self/fd'):
    try: print(os.readlink(f'/proc/self/fd/{fd}'))
    except OSError: pass
"""
    opened = kernel.run(code).split("\n")
    assert "/dev/null" in opened
    assert not set(opened) & inherited - {"anon_inode:[eventpoll]", "anon_inode:[eventfd]", "/dev/null"}


def test_no_module_of_the_grader_is_left(kernel: Any) -> None:
    """Nothing of proctor can be imported or found in sys.modules, and the course is not on the path."""
    assert kernel.run("import sys; print([name for name in sys.modules if name.startswith('proctor')])") == "[]"
    assert kernel.run("import proctor") == "ModuleNotFoundError"


def test_an_ordinary_kernel_works_where_none_can_be_forked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another system: slower, in the same folder with the same variables, and everything is reported as missing."""
    monkeypatch.setattr(machine, "SYSTEM", "darwin")
    manager = start_kernel_for(Policy(str(tmp_path)), ["numpy"])
    kernel = StudentKernel.start(lambda: manager)
    try:
        run = kernel.run_cell("import os; print(os.getcwd() == os.environ['HOME'], os.environ['USER'])", 20)
        assert (run.end, run.outputs[0].text) == ("ok", "True student\n")
        assert (manager.missing, manager.excess) == (LAYERS, None)
    finally:
        kernel.end()


def test_starting_copies_little(start: Callable[..., Any]) -> None:
    """A kernel's start leaves most pages of the warm process's memory shared: a look at every module would copy 20 MB."""
    kernel = start()
    (status,) = kernel.run("print(open('/proc/self/smaps_rollup').read())").split("Private_Dirty:")[1:]
    assert int(status.split()[0]) < 30 << 10


def test_draws_text_of_every_kind(kernel: Any) -> None:
    """Fonts that were open before the fork are opened anew: labels, formulas and powers come out, without a word."""
    code = """
import matplotlib.pyplot as plt
plt.semilogy([1e-3, 1e2], label="$w^2$"); plt.title("Loss"); plt.legend(); plt.show()
"""
    assert [message["msg_type"] for message in kernel.messages(code)] == ["display_data", "status"]


def test_what_the_course_sets_is_there_when_modules_are_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TensorFlow, for one, looks at its variables once, while it is imported."""
    (tmp_path / "looks_once.py").write_text("import os\nfound = os.environ.get('LOOK')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    for value in ("here", "there"):
        policy = Policy(str(scratch), environment={"LOOK": value})
        kernel = StudentKernel.start(lambda policy=policy: start_kernel_for(policy, ["looks_once"]))
        run = kernel.run_cell("import os, looks_once; print(looks_once.found, os.environ['LOOK'])", 20)
        kernel.end()
        assert run.outputs[0].text == f"{value} {value}\n"


def test_what_a_cell_asks_of_its_transformers_is_worked_out_anew(kernel: Any) -> None:
    """A cell that changes a transformer sees its effect at once."""
    asks = "get_ipython().transform_cell('FOO')"
    add = (
        "get_ipython().input_transformers_cleanup.append(lambda lines: [line.replace('FOO', 'bar') for line in lines])"
    )
    assert kernel.run(f"first = {asks}; {add}; print(first, {asks})") == "FOO\n bar"


CALLS_AROUND = """
import sys
def calls():
    frame = sys._getframe(1)
    while (frame := frame.f_back) and len(names) < 200:
        names.append(frame.f_code.co_name)
"""


@pytest.mark.parametrize(("cell", "expression"), [("names = []; calls()", "0"), ("names = []", "calls()")])
def test_runs_far_from_the_kernels_own_calls(kernel: Any, cell: str, expression: str) -> None:
    """TensorFlow looks up the lines of the innermost thirty calls at each operation; in long functions that takes time."""
    kernel.run(CALLS_AROUND)
    asked = {"asked": expression}
    kernel.client.execute_interactive(cell, timeout=60, user_expressions=asked, output_hook=lambda message: None)
    names = kernel.run("print(*names)").split()
    assert sum(name in ("_await_below", "_call_below") for name in names[:30]) > CALLS_BETWEEN
    assert "run_forever" in names[30:]


def test_libraries_see_the_usual_shell(kernel: Any) -> None:
    """Some tell by the name of its class that they are in a notebook."""
    assert kernel.run("print(type(get_ipython()).__name__)") == "ZMQInteractiveShell"
