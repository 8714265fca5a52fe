"""Kernels end when they should, however that comes about, and leave nothing."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_core.utils import run_sync
from waiting import until

from proctor.errors import KernelNotStarted
from proctor.kernels.manager import start_kernel_for
from proctor.kernels.provisioner import WarmProvisioner
from proctor.kernels.warm_process import start_warm_process
from proctor.sandbox.limits import Excess
from proctor.sandbox.policy import Policy
from proctor.sandbox.scratch import remove


def exists(pid: int) -> bool:
    """Whether there is such a process, zombies included."""
    return Path(f"/proc/{pid}").exists()


def test_interrupt_stops_a_cell(kernel: Any) -> None:
    """The cell raises KeyboardInterrupt and the kernel goes on."""
    request = kernel.client.execute("import time; print('begun', flush=True); time.sleep(60)")
    while kernel.client.get_iopub_msg(timeout=20)["content"].get("text") != "begun\n":
        pass
    kernel.manager.interrupt_kernel()
    reply = kernel.client.get_shell_msg(timeout=20)
    assert (reply["parent_header"]["msg_id"], reply["content"]["ename"]) == (request, "KeyboardInterrupt")
    # For a moment after an error, ipykernel drops what is asked.
    assert until(lambda: kernel.run("print('alive')").endswith("alive"))


@pytest.mark.parametrize("now", [True, False])
def test_shutdown_leaves_nothing(start: Callable[..., Any], now: bool) -> None:
    """Killed or asked: process, zombie and run folder are gone."""
    kernel = start()
    pid, folder = kernel.pid, Path(kernel.manager.connection_file).parent
    assert folder.is_dir()
    kernel.manager.shutdown_kernel(now=now)
    assert not kernel.manager.is_alive()
    assert not exists(pid)
    assert not folder.exists()


def test_terminate_ends_a_busy_kernel(kernel: Any) -> None:
    """SIGTERM is enough, and its number is the return code."""
    provisioner = kernel.manager.provisioner
    kernel.client.execute("while True: pass")
    run_sync(provisioner.terminate)()
    assert run_sync(provisioner.wait)() == -signal.SIGTERM
    assert not provisioner.has_process


def test_poll_tells_that_a_kernel_has_ended(kernel: Any) -> None:
    """A kernel that leaves is noticed, with its exit code."""
    kernel.client.execute("import os; os._exit(3)")
    assert until(lambda: not kernel.manager.is_alive())
    assert run_sync(kernel.manager.provisioner.poll)() == 3


def test_restart_gives_a_new_process(kernel: Any) -> None:
    """Names are gone after a restart; the connection stays."""
    kernel.run("x = 1")
    before = kernel.pid
    kernel.manager.restart_kernel(now=True)
    assert kernel.pid != before
    assert kernel.run("print(x)") == "NameError"


def test_signal_after_the_end_hits_nobody(kernel: Any) -> None:
    """A signal for a kernel that has ended is dropped."""
    provisioner = kernel.manager.provisioner
    run_sync(provisioner.kill)()
    run_sync(provisioner.send_signal)(signal.SIGKILL)
    assert run_sync(provisioner.wait)() == -signal.SIGKILL


def test_refuses_messages_that_are_too_large(start: Callable[..., Any]) -> None:
    """The grader's sockets have a limit on what they take in."""
    kernel = start()
    socket = kernel.client.iopub_channel.socket
    assert socket.getsockopt(zmq.MAXMSGSIZE) == kernel.manager.max_message > 0


GRADER = """
import os, sys
from proctor.kernels.manager import start_kernel_for
from proctor.kernels.warm_process import start_warm_process
from proctor.sandbox.policy import Policy
warm = start_warm_process(["numpy"]).wait_ready()
os.environ.update(warm.environment)
manager = start_kernel_for(Policy(sys.argv[1]), ["numpy"])
print(warm.pid, manager.provisioner.pid, os.path.dirname(manager.connection_file), flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def _grader(scratch: Path) -> Iterator[tuple[subprocess.Popen[str], list[int], Path]]:
    command = [sys.executable, "-c", GRADER, str(scratch)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            *pids, folder = process.stdout.readline().split()
            yield process, [int(pid) for pid in pids], Path(folder)
        finally:
            process.kill()


@pytest.mark.parametrize("how", ["killed", "ended"])
def test_death_of_the_grader_leaves_nothing(tmp_path: Path, how: str) -> None:
    """Killed with SIGKILL or simply at its end: no process and no run folder stays."""
    with _grader(tmp_path) as (grader, pids, folder):
        assert all(exists(pid) for pid in pids)
        if how == "killed":
            grader.kill()
        grader.communicate(timeout=20)
    assert until(lambda: not any(exists(pid) for pid in pids))
    assert until(lambda: not folder.exists())


def test_death_of_the_warm_process_ends_its_kernels_and_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kernels go with it, their managers know, and a new kernel is refused with the reason."""
    with contextlib.closing(start_warm_process(["numpy"])) as warm:
        warm.wait_ready()
        monkeypatch.setenv(*next(iter(warm.environment.items())))
        manager = start_kernel_for(Policy(str(tmp_path)), ["numpy"])
        pid = manager.provisioner.pid
        os.kill(warm.pid, signal.SIGKILL)
        assert until(lambda: not manager.is_alive())
        assert until(lambda: not exists(pid))
        with pytest.raises(KernelNotStarted) as refused:
            start_kernel_for(Policy(str(tmp_path)), ["numpy"])
        assert refused.value.kind == "gone"
        manager.shutdown_kernel(now=True)


def test_a_kernel_that_floods_its_run_folder_is_ended(kernel: Any) -> None:
    """Sockets are the only files it can make outside of its scratch folder: more than a few end it, with a reason."""
    code = """
import socket
folder = get_ipython().kernel.parent.ip.rpartition("/")[0]
for n in range(100):
    socket.socket(socket.AF_UNIX).bind(f"{folder}/flood-{n}")
"""
    kernel.client.execute(code)
    assert until(lambda: not kernel.manager.is_alive())
    assert kernel.manager.excess == Excess("sockets", 64)


def test_a_preload_that_cannot_be_imported_is_named() -> None:
    """The message has the module and the import error's own words."""
    with pytest.raises(KernelNotStarted, match="No module named") as refused:
        start_warm_process(["numpy", "no_such_module"]).wait_ready()
    assert (refused.value.kind, refused.value.facts["name"]) == ("no import", "no_such_module")


def test_a_preload_that_raises_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a module raises while it is imported is reported."""
    (tmp_path / "broken_module.py").write_text("raise RuntimeError('needs a licence')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(KernelNotStarted, match=r"broken_module.*needs a licence"):
        start_warm_process(["broken_module"]).wait_ready()


def test_a_scratch_folder_that_is_missing_is_told(start: Callable[..., Any], tmp_path: Path) -> None:
    """A kernel that cannot start says why, and leaves nothing."""
    start()
    with pytest.raises(KernelNotStarted, match="nowhere"):
        start_kernel_for(Policy(str(tmp_path / "nowhere")), [])


def test_a_submission_larger_than_its_limit_is_told(start: Callable[..., Any], tmp_path: Path) -> None:
    """Files that do not fit into the scratch folder are named as the reason."""
    (tmp_path / "scratch0").mkdir()
    (tmp_path / "scratch0" / "huge.bin").write_bytes(bytes(3 << 20))
    with pytest.raises(KernelNotStarted) as refused:
        start(disk_total=2 << 20)
    assert (refused.value.kind, refused.value.facts["megabytes"]) == ("too large", 2)


def test_a_bad_channel_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A descriptor that is not a channel is never written to."""
    with (tmp_path / "file").open("w") as file:
        monkeypatch.setenv("PROCTOR_WARM_FD", str(file.fileno()))
        with pytest.raises(KernelNotStarted) as refused:
            start_kernel_for(Policy(str(tmp_path)), [])
    assert refused.value.kind == "no channel"


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_worker_does_not_keep_kernels_alive(kernel: Any) -> None:
    """A process forked from the grader lets go of the grader's kernels."""
    reading, writing = os.pipe()
    worker = os.fork()
    if worker == 0:
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)
    pid = kernel.pid
    kernel.manager.provisioner._let_go()
    assert until(lambda: not exists(pid))
    os.close(writing)
    os.close(reading)
    os.waitpid(worker, 0)


def test_is_registered_with_jupyter_client() -> None:
    """A kernel specification can name the provisioner."""
    metadata = {"kernel_provisioner": {"provisioner_name": "proctor-warm"}}
    spec = KernelSpec(argv=["python"], language="python", metadata=metadata)
    factory = KernelProvisionerFactory()
    provisioner = factory.create_provisioner_instance("id", spec, parent=None)
    assert isinstance(provisioner, WarmProvisioner)


OPEN_UP = """
import os, socket
folder = os.path.dirname(get_ipython().kernel.parent.ip)
try:
    os.chmod(folder, 0o777)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(folder + "/open")
    os.chmod(folder + "/open", 0o777)
    listener.listen()
except OSError as error:
    print(error)
print("done")
"""


def test_nobody_else_comes_into_a_run_folder(start: Callable[..., Any]) -> None:
    """Whatever rights a kernel gives to its sockets: the folder around them lets in its owner and the kernel only."""
    kernel = start()
    assert kernel.run(OPEN_UP).endswith("done")
    folder = Path(kernel.manager.connection_file).parent
    status = folder.stat()
    assert status.st_mode & 0o007 == 0
    assert status.st_gid not in {group for group in os.getgroups() if group != os.getegid()}
    if os.geteuid() == 0:
        stranger = "import os, sys; os.setgid(12345); os.setuid(12345); os.listdir(sys.argv[1])"
        done = subprocess.run([sys.executable, "-c", stranger, str(folder / "s")], capture_output=True, text=True)
        assert "PermissionError" in done.stderr


def test_a_run_folder_goes_even_without_its_rights(start: Callable[..., Any]) -> None:
    """A kernel that takes them away leaves nothing behind all the same."""
    kernel = start()
    kernel.run("import os; os.chmod(os.path.dirname(get_ipython().kernel.parent.ip), 0)")
    folder = Path(kernel.manager.connection_file).parent
    kernel.manager.shutdown_kernel(now=True)
    assert until(lambda: not folder.exists())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="makes itself an ordinary user")
def test_an_ordinary_user_removes_what_has_no_rights() -> None:
    """Root may do everything anyway; whoever is not gets the rights back first."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))  # where every user may write
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.chown(folder, 12345, 12345)
                os.setgid(12345)
                os.setuid(12345)
            (folder / "a" / "b").mkdir(parents=True)
            (folder / "a" / "b" / "file").touch()
            (folder / "a" / "b").chmod(0)
            (folder / "a").chmod(0)
            remove(folder / "a")
            os._exit(0 if not (folder / "a").exists() else 1)
        finally:
            os._exit(2)
    status = os.waitpid(child, 0)[1]
    shutil.rmtree(folder)
    assert os.waitstatus_to_exitcode(status) == 0
