"""Real kernels as root and as an ordinary user, where namespaces are forbidden: the rest holds and notebooks work."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

AS_USER = Path(__file__).with_name("as_user.py")
PROGRAM = """
import json, os, tempfile, time
from proctor.kernels.manager import start_kernel_for
from proctor.sandbox.policy import Policy

def text_of(manager, code):
    client, parts = manager.client(), []
    client.start_channels(hb=False)
    hook = lambda message: parts.append(message["content"].get("text") or message["content"].get("ename") or "".join(message["content"].get("data", ())))
    client.execute_interactive(code, timeout=60, output_hook=hook)
    client.stop_channels()
    return "".join(parts).strip()

outside = tempfile.mkdtemp()
secret = os.path.join(outside, "gradebook.db")
open(secret, "w").write("grades")
scratch = tempfile.mkdtemp()
manager = start_kernel_for(Policy(scratch, disk_total=8 << 20), ["numpy", "matplotlib.pyplot"])
told = {"missing": list(manager.missing)}
told["read"] = text_of(manager, f"open({secret!r})")
told["chmod"] = text_of(manager, f"import os; os.chmod({secret!r}, 0)")
told["rename"] = text_of(manager, f"import os; os.rename({secret!r}, 'mine')")
told["link"] = text_of(manager, f"import os; os.symlink({secret!r}, 'link')")
told["plot"] = text_of(manager, "import matplotlib.pyplot as plt; plt.plot([1, 2]); plt.show()")
told["work"] = text_of(manager, "open('mine', 'w').write('x'); print(open('mine').read())")
client = manager.client()
client.start_channels(hb=False)
client.execute("import time\\nfor n in range(20): open(f'f{n}', 'wb').write(bytes(1 << 20))\\ntime.sleep(60)")
end = time.monotonic() + 20
while manager.is_alive() and time.monotonic() < end:
    time.sleep(0.05)
client.stop_channels()
told["excess"] = manager.excess and [manager.excess.kind, manager.excess.limit]
manager.shutdown_kernel(now=True)
print(json.dumps(told))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")
@pytest.mark.parametrize("how", ["no-namespaces", "user,no-namespaces"])
def test_a_kernel_works_and_stays_inside(how: str) -> None:
    """It plots and writes its own files, reaches no other, and is ended for filling the disk."""
    with tempfile.TemporaryDirectory(prefix="t-") as temporary:
        Path(temporary).chmod(0o777)
        done = subprocess.run(
            [sys.executable, str(AS_USER), how, "-c", PROGRAM], capture_output=True, text=True, check=False,
            env={**os.environ, "TMPDIR": temporary},
        )  # fmt: skip
        left = [path.name for path in Path(temporary).iterdir() if path.name.startswith(("proctor-", "matplotlib-"))]
    if done.returncode != 0 and "as_user.py" in done.stderr and "not permitted" in done.stderr:
        pytest.skip("becoming another user for the test takes root")
    assert done.returncode == 0, done.stderr
    assert left == []
    told = json.loads(done.stdout)
    assert [reason.partition(":")[0] for reason in told.pop("missing")] == ["namespaces"]
    assert told.pop("plot").startswith("text/plain")
    assert told.pop("excess") == ["disk", 8]
    refused = dict.fromkeys(("read", "chmod", "rename", "link"), "PermissionError")
    assert told == {**refused, "work": "x"}
