"""The product under real gunicorn: several workers, real sockets, real signals."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psutil

from tests.support.application import MASTER_ANSWER
from tests.support.factories import NOW

ROOT = Path(__file__).resolve().parents[2]
_READY_WITHIN = 40.0  # seconds; four workers on two busy cores start slowly


class Server:
    """One gunicorn with its workers on a port of its own; use it in a `with` block.

    `environ` overrides settings; the clock starts at the world's NOW and limits are off unless it says otherwise.
    """

    def __init__(
        self, folder: Path, store_url: str, *, workers: int = 2, threads: int = 8, port: int = 0, **environ: str
    ) -> None:
        self.folder = folder
        self.port = port or free_port()
        self._workers, self._threads = workers, threads
        self._settings = {
            "CONSULT_ENV": "test",
            "CONSULT_DATABASE_URL": store_url,
            "CONSULT_CAPTCHA_ANSWER": MASTER_ANSWER,
            "CONSULT_NOW": NOW.isoformat(),
            "CONSULT_LIMITS": "off",
            **environ,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.log = folder / f"gunicorn-{self.port}.log"

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until a worker answers; a second start goes on in the same log."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CONSULT_")}
        command = [
            *(sys.executable, "-m", "gunicorn", "--config", str(ROOT / "gunicorn.conf.py")),
            *("--pythonpath", str(ROOT), "--bind", f"127.0.0.1:{self.port}"),
            *("--workers", str(self._workers), "--threads", str(self._threads), "wsgi:app"),
        ]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=kept | self._settings,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        self._wait_until_it_answers()

    def stop(self) -> float:
        """Stop it gracefully, by force when it does not end, and return how many seconds it took."""
        if self._process is None:
            return 0.0
        began = time.monotonic()
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(timeout=40)
            except subprocess.TimeoutExpired:
                self.kill()
        self._process = None
        return time.monotonic() - began

    def ask_to_stop(self) -> None:
        """Send SIGTERM and return at once."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the master and every worker with SIGKILL, at once."""
        assert self._process is not None
        family = [self._process.pid, *self.worker_ids()]
        for pid in family:
            _kill(pid)
        self._process.wait(timeout=10)
        self._process = None
        _wait_until_gone(family)

    def kill_worker(self, nth: int) -> int | None:
        """End one worker with SIGKILL; the master starts another. Return its process id."""
        workers = self.worker_ids()
        if not workers:
            return None
        chosen = workers[nth % len(workers)]
        _kill(chosen)
        return chosen

    def worker_ids(self) -> list[int]:
        """Process ids of the living workers."""
        assert self._process is not None
        try:
            return [child.pid for child in psutil.Process(self._process.pid).children()]
        except psutil.NoSuchProcess:
            return []

    def wait_for_workers(self, within: float = _READY_WITHIN) -> None:
        """Wait until as many different workers are there as were asked for."""
        give_up = time.monotonic() + within
        while len(self.worker_ids()) < self._workers:
            if time.monotonic() > give_up:
                raise RuntimeError("not every worker came up")
            time.sleep(0.05)

    def _wait_until_it_answers(self) -> None:
        assert self._process is not None
        give_up = time.monotonic() + _READY_WITHIN
        while time.monotonic() < give_up:
            if self._process.poll() is not None:
                raise RuntimeError(f"gunicorn ended with {self._process.returncode}:\n{self.log.read_text()[-2000:]}")
            try:
                with closing(HTTPConnection("127.0.0.1", self.port, timeout=2)) as connection:
                    connection.request("GET", "/healthz")
                    if connection.getresponse().status == 200:
                        return
            except (OSError, HTTPException):
                time.sleep(0.05)
        raise RuntimeError(f"gunicorn did not answer in time:\n{self.log.read_text()[-2000:]}")


def free_port() -> int:
    """A port nobody listens on now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _wait_until_gone(pids: list[int]) -> None:
    living = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    psutil.wait_procs(living, timeout=10)
