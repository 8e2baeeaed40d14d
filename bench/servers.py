"""gunicorn with the product's own settings, and what its processes cost: CPU seconds and memory."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
_READY_WITHIN = 60.0  # seconds


class Server:
    """One gunicorn on a port of its own, started with the block and stopped with it."""

    def __init__(self, target: str, folder: Path, environ: Mapping[str, str], workers: int) -> None:
        self.port = _free_port()
        self._folder = folder
        self._command = [
            *(sys.executable, "-m", "gunicorn", "--config", str(ROOT / "gunicorn.conf.py")),
            *("--pythonpath", str(ROOT), "--bind", f"127.0.0.1:{self.port}", "--workers", str(workers)),
            target,
        ]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CONSULT_")}
        self._environ = {**kept, **environ}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Server:
        with (self._folder / f"gunicorn-{self.port}.log").open("wb") as log:
            self._process = subprocess.Popen(
                self._command, cwd=self._folder, env=self._environ, stdout=log, stderr=log, start_new_session=True
            )
        give_up = time.monotonic() + _READY_WITHIN
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > give_up:
                self.stop()
                raise RuntimeError(f"the server did not start; see {self._folder}/gunicorn-{self.port}.log")
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop it gracefully, by force when it does not end."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=25)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=5)

    @property
    def pid(self) -> int:
        """Process id of the master."""
        assert self._process is not None
        return self._process.pid

    def cpu_seconds(self) -> float:
        """CPU time of the master and of all its workers, those that have ended included."""
        return tree_cpu_seconds(self.pid)

    def largest_worker(self) -> int:
        """Resident bytes of the largest worker."""
        sizes = []
        for child in psutil.Process(self.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                sizes.append(child.memory_info().rss)
        return max(sizes, default=0)

    def _answers(self) -> bool:
        try:
            with closing(HTTPConnection("127.0.0.1", self.port, timeout=5)) as connection:
                connection.request("GET", "/healthz")
                return connection.getresponse().status in {200, 404}
        except (OSError, HTTPException):
            return False


def tree_cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and of everything below it.

    A child that ended is counted in the `children_*` times of the parent that waited for it, so nothing is lost when
    gunicorn replaces a worker or PostgreSQL ends a backend; both are waited for by the process given here.
    """
    total = 0.0
    root = psutil.Process(pid)
    for process in (root, *root.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
