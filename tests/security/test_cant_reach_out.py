"""A student's process changes nothing outside of its scratch folder and talks to nobody."""

import pytest

GAINED = "GAINED"

SYSCALL = "import ctypes, os; libc = ctypes.CDLL(None, use_errno=True)\n"


def test_cant_write_the_gradebook(attack):
    attack("open(GRADEBOOK, 'a').write('forged'); won()", GAINED)


def test_cant_empty_the_gradebook(attack):
    attack("import os; os.truncate(GRADEBOOK, 0); won()", GAINED)


def test_cant_delete_the_gradebook(attack):
    attack("import os; os.unlink(GRADEBOOK); won()", GAINED)


def test_cant_put_another_file_in_its_place(attack):
    attack(
        "import os; open('forged', 'w').write('100'); os.rename('forged', GRADEBOOK); won()",
        GAINED,
        harmless="",
        fresh=True,
    )


def test_cant_take_the_gradebook_away(attack):
    attack("import os; os.rename(GRADEBOOK, OUTSIDE + '/elsewhere'); won()", GAINED)


def test_cant_change_a_neighbours_notebook(attack):
    attack("open(NEIGHBOUR, 'w').write('ruined'); won()", GAINED)


def test_cant_leave_a_start_up_file(attack):
    attack("open(STARTUP, 'a').write('evil'); open(BASHRC, 'a').write('evil'); won()", GAINED)


def test_cant_leave_files_in_the_temporary_folder(attack):
    attack("import os; open(os.path.dirname(OUTSIDE) + '/left', 'w'); won()", GAINED)


def test_cant_change_an_installed_package(attack):
    attack("open(NUMPY + '/__init__.py', 'a').close(); won()", GAINED)


def test_cant_leave_a_compiled_module(attack):
    attack("import glob; open(glob.glob(NUMPY + '/__pycache__/*.pyc')[0], 'r+b').close(); won()", GAINED)


def test_cant_change_modes(attack):
    attack("import os; os.chmod(GRADEBOOK, 0o600); won()", GAINED)


def test_cant_change_times(attack):
    attack("import os; os.utime(GRADEBOOK, (0, 0)); won()", GAINED)


def test_cant_change_owners(attack):
    attack("import os; os.chown(GRADEBOOK, 12345, 12345); won()", GAINED)


def test_cant_set_attributes(attack):
    attack("import os; os.setxattr(GRADEBOOK, 'user.x', b'x'); won()", GAINED, harmless="many file systems have none")


def test_cant_lock_the_gradebook(attack):
    attack("import fcntl; file = open(GRADEBOOK); fcntl.flock(file, fcntl.LOCK_EX); won(); file.close()", GAINED)


def test_cant_make_folders_or_pipes_elsewhere(attack):
    attack("import os; os.mkdir(OUTSIDE + '/folder'); os.mkfifo(OUTSIDE + '/fifo'); won()", GAINED)


def test_cant_make_devices(attack):
    attack("import os; os.mknod('disk', 0o60666, os.makedev(254, 0)); won()", GAINED, fresh=True)


def test_cant_write_through_a_link(attack):
    attack("import os; os.symlink(GRADEBOOK, 'mine'); open('mine', 'a').write('x'); won()", GAINED, fresh=True)


def test_cant_write_through_a_path_that_climbs(attack):
    attack("import os; open(os.path.relpath(GRADEBOOK), 'a').write('x'); won()", GAINED)


def test_cant_connect_by_tcp(attack):
    attack("import socket; print(socket.create_connection(('127.0.0.1', TCP), 3).recv(99))")


def test_cant_send_by_udp(attack):
    attack("import socket; socket.socket(2, 2).sendto(b'x', ('127.0.0.1', UDP)); won()", GAINED)


def test_cant_ask_a_name_server(attack):
    # To a server of this test, with what a resolver sends: no name leaves this machine.
    attack(
        "import socket; s = socket.socket(2, 2); s.connect(('127.0.0.1', UDP)); s.send(b'\\x12\\x34\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0'); won()",
        GAINED,
    )


def test_cant_use_ipv6_or_raw_sockets(attack):
    attack("import socket; socket.socket(2, 3, 1); won()", GAINED)


def test_cant_use_netlink(attack):
    attack("import socket; socket.socket(16, 3, 0); won()", GAINED)


def test_cant_use_packet_or_vsock_sockets(attack):
    attack("import socket; socket.socket(17, 3, 0); won()", GAINED)


def test_cant_listen_on_a_port(attack):
    attack("import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); won()", GAINED)


def test_cant_connect_to_a_socket_by_path(attack):
    attack("import socket; s = socket.socket(1); s.connect(SOCKET); print(s.recv(99))")


def test_cant_connect_to_an_abstract_socket(attack):
    attack("import socket; s = socket.socket(1); s.connect('\\0' + OUTSIDE); print(s.recv(99))")


def test_cant_send_to_a_socket_by_path(attack):
    attack(
        "import socket; s = socket.socket(1, 2); s.sendto(b'x', SOCKET)\nwon()",
        GAINED,
        harmless="nobody listens for datagrams",
    )


def test_cant_pass_descriptors(attack):
    attack("import socket; a, b = socket.socketpair(); socket.send_fds(a, [b'x'], [0]); won()", GAINED)


def test_cant_connect_through_zmq(attack):
    attack("""
import zmq
s = zmq.Context().socket(zmq.STREAM); s.setsockopt(zmq.LINGER, 0); s.connect(f"tcp://127.0.0.1:{TCP}")
s.poll(400) and won()
""", GAINED, fresh=True)  # fmt: skip


def test_cant_signal_the_grader(attack):
    attack("import os; os.kill(GRADER, 0); won()", GAINED)


def test_cant_signal_another_process(attack):
    attack("import os; os.kill(VICTIM, 0); won()", GAINED)


def test_cant_signal_its_parent_or_everybody(attack):
    attack("import os; os.kill(os.getppid(), 0) or won(); os.kill(-1, 0)", GAINED, harmless="", fresh=True)


def test_cant_queue_signals(attack):
    attack(SYSCALL + "libc.sigqueue(VICTIM, 0, None) == 0 and won()", GAINED)


def test_cant_limit_another_process(attack):
    attack("import resource; resource.prlimit(VICTIM, resource.RLIMIT_NOFILE); won()", GAINED)


def test_cant_slow_another_process(attack):
    attack("import os; os.setpriority(os.PRIO_PROCESS, VICTIM, 0); won()", GAINED)


def test_cant_pin_another_process(attack):
    attack("import os; os.sched_setaffinity(VICTIM, os.sched_getaffinity(VICTIM)); won()", GAINED)


@pytest.mark.parametrize("who", ["os.getppid()", "GRADER", "VICTIM"])
def test_cant_schedule_another_process(attack, who):
    """What is said to be done is not: the policy stays, and where the attack works it is put back."""
    attack(f"""
import os
os.sched_setscheduler({who}, os.SCHED_BATCH, os.sched_param(0))
done = os.sched_getscheduler({who}) == os.SCHED_BATCH
os.sched_setscheduler({who}, os.SCHED_OTHER, os.sched_param(0))
done and won()
""", GAINED)  # fmt: skip


def test_cant_raise_its_limits(attack):
    attack("""
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096)); resource.setrlimit(resource.RLIMIT_CPU, (10**6, 10**6)); won()
""", GAINED)  # fmt: skip


def test_cant_become_root(attack):
    attack("import os; os.setresuid(0, 0, 0); won()", GAINED)


def test_cant_rename_the_machine(attack):
    attack(SYSCALL + "name = os.uname().nodename.encode(); libc.sethostname(name, len(name)) == 0 and won()", GAINED)


def test_cant_start_a_process(attack):
    attack("import os; pid = os.fork()\nif not pid: os._exit(0)\nos.waitpid(pid, 0); won()", GAINED)


def test_cant_vfork_or_clone(attack):
    attack(SYSCALL + "pid = libc.syscall(56, 17, 0, 0, 0, 0)\nif not pid: os._exit(0)\npid > 0 and won()", GAINED)


def test_cant_run_a_program(attack):
    attack("import subprocess; subprocess.run(['/bin/true'], check=True); won()", GAINED)


def test_cant_run_a_program_from_memory(attack):
    attack("import os; os.memfd_create('x'); won()", GAINED)


@pytest.mark.parametrize(
    ("name", "number"),
    {"bpf": 321, "perf_event_open": 298, "add_key": 248, "keyctl": 250, "shmget": 29, "semget": 64, "msgget": 68, "mq_open": 240,
     "inotify_init": 253, "personality": 135, "userfaultfd": 323, "memfd_secret": 447, "landlock_create_ruleset": 444,
     "pidfd_open": 434, "fsopen": 430, "io_setup": 206, "epoll_pwait2-beyond-the-table": 470}.items(),
)  # fmt: skip
def test_cant_make_a_system_call(attack, name, number):
    """Calls with a history of holes, and ways to leave something behind, are refused with EPERM or ENOSYS."""
    code = SYSCALL + f"libc.syscall({number}, -1, -1, -1, -1, -1); ctypes.get_errno() in (1, 38) or won()"
    off = "not there, or switched off for all"
    attack(
        code,
        GAINED,
        harmless=off
        if name in ("bpf", "perf_event_open", "memfd_secret", "userfaultfd")
        or "-" in name
        or "landlock" in name
        or "fs" in name
        else "",
    )


def test_cant_read_the_terminal_or_push_keys_into_it(attack):
    attack(
        "open('/dev/tty').fileno(); won()", GAINED, harmless="the tests' terminal, if there is one, is not the kernels'"
    )


def test_cant_leave_shared_memory(attack):
    attack(
        "open('/dev/shm/world-left' + str(GRADER), 'w'); __import__('os').unlink('/dev/shm/world-left' + str(GRADER)); won()",
        GAINED,
    )


def test_cant_fill_memory_with_unread_messages(attack):
    attack("import socket; one, other = socket.socketpair(); one.setsockopt(1, 7, 1 << 30); won()", GAINED)


def test_cant_use_multiprocessing(attack):
    attack("""
import multiprocessing.shared_memory as m
block = m.SharedMemory(create=True, size=10); block.close(); block.unlink(); won()
""", GAINED)  # fmt: skip
