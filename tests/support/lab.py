"""A real JupyterLab on a free port of this machine, and a browser that may talk to nobody else."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
NO_BROWSER = "no Chromium on PATH; `apt-get install chromium`, or your system's package of it"
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
FLAGS += ["--no-first-run", "--disable-gpu", "--disable-quic", "--force-color-profile=srgb"]
TOKEN = "for-this-test-only"
QUIET = [  # what JupyterLab would fetch from the network
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
]
SETTINGS = {  # of JupyterLab's user: no question about news; every cell of a notebook is on the page
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},
}


@dataclass(frozen=True)
class Lab:
    """A running server: where it is, and the file with what it logs."""

    address: str
    log: Path

    def url(self, path: str = "lab") -> str:
        """Address of a page, with the token."""
        return f"{self.address}/{path}?token={TOKEN}"


@contextlib.contextmanager
def running(course: Path, home: Path) -> Iterator[Lab]:
    """Run ``jupyter lab`` in the folder of a course, with the settings of nobody; end it and its kernels."""
    port = _free_port()
    home.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "HOME": str(home)}
    for name in ("CONFIG", "DATA", "RUNTIME"):
        environment[f"JUPYTER_{name}_DIR"] = str(home / name.lower())
    for name, settings in SETTINGS.items():
        file = home / f"config/lab/user-settings/@jupyterlab/{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings))
    command = ["jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}", *QUIET]
    command += [
        "--ServerApp.port_retries=0",
        "--LabApp.expose_app_in_browser=True",
        f"--IdentityProvider.token={TOKEN}",
    ]
    lab = Lab(f"http://127.0.0.1:{port}", home / "lab.log")
    with lab.log.open("wb") as log:
        server = subprocess.Popen(
            command,
            cwd=course,
            env=environment,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        _wait_for(lab, server)
        yield lab
    finally:
        _end(server)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for(lab: Lab, server: subprocess.Popen[bytes], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(lab.url("api/status"), timeout=5).close()
            return
        time.sleep(0.1)
    raise AssertionError(f"jupyter lab did not start:\n{lab.log.read_text()[-3000:]}")


def _end(server: subprocess.Popen[bytes]) -> None:
    """Ask the server to end its kernels and itself; then see to it that nothing of its session is left."""
    server.terminate()
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(server.pid, signal.SIGKILL)


@dataclass
class Browser:
    """Chromium with pages that can reach 127.0.0.1 only. `elsewhere` lists what they asked of anybody else."""

    chromium: Any
    elsewhere: list[str] = field(default_factory=list)

    def page(self, lab: Lab | None = None, width: int = 1280, height: int = 900) -> Any:
        """Open a new page in a context of its own, logged in to `lab`."""
        context = self.chromium.new_context(viewport={"width": width, "height": height})
        context.set_default_timeout(120_000)  # a busy machine is slow, not wrong
        context.route("**/*", self._only_here)
        page = context.new_page()
        if lab:
            page.goto(lab.url("login"))
        return page

    def _only_here(self, route: Any) -> None:
        address = urllib.parse.urlsplit(route.request.url)
        if address.scheme in ("data", "blob", "file") or address.hostname == "127.0.0.1":
            route.continue_()
        else:
            self.elsewhere.append(route.request.url)
            route.abort()


def run_all(page: Any) -> None:
    """Run all cells of the notebook on the page, once its kernel is there."""
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    page.wait_for_selector("text=/\\| Idle$/", state="attached")
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """Start Chromium without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        try:
            yield Browser(chromium)
        finally:
            chromium.close()
