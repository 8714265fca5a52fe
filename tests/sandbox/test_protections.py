"""Each protection holds as root and as an ordinary user, with namespaces and without, and each attempt is a real one."""

import functools
import json
import subprocess
import sys
from pathlib import Path

import pytest

from proctor.sandbox.machine import missing, protections
from proctor.sandbox.policy import LAYERS
from proctor.sandbox.probes import ATTEMPTS, Protection

AS_USER = Path(__file__).with_name("as_user.py")
WAYS = ("", "user", "no-namespaces", "user,no-namespaces")
PROGRAM = "import json; from proctor.sandbox.machine import protections; print(json.dumps(protections()))"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")


@functools.cache
def protections_of(how: str) -> dict[str, Protection]:
    """What holds for somebody who works in one of the `WAYS`."""
    command = [sys.executable, str(AS_USER), how, "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode != 0 and "Operation not permitted" in done.stderr:
        pytest.skip("becoming another user for the test takes root")
    assert done.returncode == 0, done.stderr
    return {row[0]: Protection(*row) for row in json.loads(done.stdout)}


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("name", [name for name, (_, essential) in ATTEMPTS.items() if essential])
def test_cant(name: str, how: str) -> None:
    """It works without the sandbox, and not within."""
    protection = protections_of(how)[name]
    assert protection.enforced, protection.why
    assert "even without" not in protection.why


def test_namespaces_hide_even_the_names_of_files() -> None:
    """Where namespaces are allowed, other files cannot even be asked about; where not, that is said."""
    name = "see names, sizes and times of other files"
    assert protections_of("user")[name].enforced
    assert not protections_of("user,no-namespaces")[name].enforced


def test_root_gives_each_kernel_a_user_of_its_own() -> None:
    """Started by root, a student's process is not root."""
    assert protections_of("")["be the user who grades"].enforced


OPEN_WITHOUT = {
    ("namespaces", "landlock"): {"read other files", "write other files", "make files elsewhere"},
    ("namespaces", "seccomp"): {
        "start processes: fork",
        "connect to other programs' sockets",
        "change modes and owners of other files",
        "take shared memory that no limit counts",
        "reach the network: UDP",
    },
    ("limits",): {
        "take more memory than the limit",
        "compute past the CPU limit",
    },
}


@pytest.mark.parametrize("layers", OPEN_WITHOUT)
def test_a_layer_that_is_missing_is_noticed(layers: tuple[str, ...]) -> None:
    """Without these layers the protections that they give are reported as missing: no attempt is refused by chance."""
    rest = tuple(layer for layer in LAYERS if layer not in (*layers, "user"))
    lost = {protection.name for protection in protections(rest) if not protection.enforced}
    assert lost >= OPEN_WITHOUT[layers]


def test_missing_names_essential_protections_only() -> None:
    """Grading refuses for what matters, and this machine (or one like it) has all of that."""
    assert all(protection.essential and not protection.enforced for protection in missing())
    assert {protection.name for protection in protections()} == set(ATTEMPTS)
