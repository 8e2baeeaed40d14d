"""The closed loops: wrk for pages, threads of our own for forms; and the check that answers are what they should be."""

from __future__ import annotations

import itertools
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

from bench.stores import ANSWER

CONNECTIONS = 8
THREADS = 2
_TOLERANCE = 0.02  # of the length: a clock or a count may move by a digit

_SCRIPT = """
local shortest, longest = %d, %d
local threads = {}
wrong = 0
function setup(thread) table.insert(threads, thread) end
function response(status, headers, body)
  if status ~= %d or #body < shortest or #body > longest then wrong = wrong + 1 end
end
function done(summary, latency, requests)
  local total = 0
  for _, thread in ipairs(threads) do total = total + thread:get("wrong") end
  local errors = summary.errors
  io.write(string.format("\\nBENCH %%d %%d %%d %%.3f\\n", summary.requests, total,
    errors.connect + errors.read + errors.write + errors.timeout, summary.duration / 1e6))
end
"""


class WrongAnswerError(Exception):
    """A server answered something else than what is being measured."""


@dataclass(frozen=True)
class Target:
    """One address of one server, with what its answer must hold."""

    port: int
    path: str
    marker: str
    least: int = 1
    cookie: str = ""
    count: int = 0
    """How often the marker must occur; 0 asks for it to occur at all."""

    def headers(self) -> dict[str, str]:
        """Return what is sent besides the address."""
        return {"Cookie": self.cookie} if self.cookie else {}


@dataclass(frozen=True)
class Loop:
    """What a closed loop did: answered requests, wall seconds."""

    requests: int
    seconds: float


@dataclass
class Answer:
    """One answer, whole."""

    status: int
    body: bytes
    headers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


def fetch(port: int, path: str, headers: dict[str, str] | None = None) -> Answer:
    """Get one page on a connection of its own."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, answer.read(), answer.getheaders())


def check(target: Target, times: int = 8) -> int:
    """Look at some whole answers, from parallel threads; return their length.

    Raises:
        WrongAnswerError: a status, a length or the marker is not as it should be.
    """
    found: list[Answer] = []

    def look() -> None:
        found.append(fetch(target.port, target.path, target.headers()))

    lookers = [threading.Thread(target=look) for _ in range(times)]
    for one in lookers:
        one.start()
    for one in lookers:
        one.join()
    if len(found) < times:
        raise WrongAnswerError(f"{target.path}: {times - len(found)} of {times} requests failed")
    lengths = [len(answer.body) for answer in found]
    for answer in found:
        seen = answer.text.count(target.marker)
        if (
            answer.status != 200
            or len(answer.body) < target.least
            or not seen
            or (target.count and seen != target.count)
        ):
            raise WrongAnswerError(
                f"{target.path}: status {answer.status}, {len(answer.body)} bytes, {seen} × {target.marker!r}"
            )
    if max(lengths) - min(lengths) > _TOLERANCE * max(lengths):
        raise WrongAnswerError(f"{target.path}: answers of {min(lengths)} to {max(lengths)} bytes")
    return max(lengths)


def run_wrk(target: Target, length: int, seconds: float) -> Loop:
    """Ask for one page in a closed loop; every answer's status and length are checked.

    Raises:
        WrongAnswerError: an answer had another status or length, or none came.
    """
    shortest, longest = int(length * (1 - _TOLERANCE)), int(length * (1 + _TOLERANCE)) + 1
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "check.lua"
        script.write_text(_SCRIPT % (shortest, longest, 200), encoding="utf-8")
        command = [
            *("wrk", "--threads", str(THREADS), "--connections", str(CONNECTIONS)),
            *("--duration", f"{max(1, round(seconds))}s", "--timeout", "30s", "--script", str(script)),
            *itertools.chain.from_iterable(
                ("--header", f"{name}: {value}") for name, value in target.headers().items()
            ),
            f"http://127.0.0.1:{target.port}{target.path}",
        ]
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    line = re.search(r"^BENCH (\d+) (\d+) (\d+) ([\d.]+)$", told, re.MULTILINE)
    if line is None:
        raise WrongAnswerError(f"wrk said: {told}")
    requests, wrong, errors = (int(line[place]) for place in (1, 2, 3))
    if wrong or errors or not requests:
        raise WrongAnswerError(f"{target.path}: {requests} answers, {wrong} wrong, {errors} failed")
    return Loop(requests, float(line[4]))


# -- forms -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Filled:
    """A form ready to be sent."""

    cookie: str
    body: bytes


def fetch_form(port: int, slug: str, section: str, number: int) -> Filled:
    """Get the form as a new visitor and fill it in."""
    answer = fetch(port, f"/c/{slug}/comment/?section={section}")
    cookie = "; ".join(value.partition(";")[0] for name, value in answer.headers if name.lower() == "set-cookie")
    fields = {
        "csrf_token": _hidden(answer.text, "csrf_token"),
        "captcha_id": _hidden(answer.text, "captcha_id"),
        "captcha_answer": ANSWER,
        "section": section,
        "submitter_kind": "individual",
        "name": "张三丰",
        "contact": f"139{number:08d}",
        "email": f"visitor{number}@example.org",
        "body": f"建议在社区食堂门口增设坡道和扶手，方便老人和推婴儿车的人进出。（第{number}份）",
        "age_statement": "over_14",
        "consent_process": "yes",
    }
    return Filled(cookie, urlencode(fields).encode())


def _hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    if found is None:
        raise WrongAnswerError(f"the form has no {name}")
    return found[1]


def fetch_forms(port: int, slug: str, section: str, numbers: range) -> list[Filled]:
    """Get and fill many forms."""
    waiting = iter(numbers)
    forms: list[Filled] = []

    def work() -> None:
        for number in _shared(waiting):
            forms.append(fetch_form(port, slug, section, number))  # noqa: PERF401 - the list is shared by threads

    _in_threads(work)
    if len(forms) < len(numbers):
        raise WrongAnswerError(f"{len(numbers) - len(forms)} forms could not be fetched")
    return forms


def post_forms(port: int, slug: str, forms: list[Filled]) -> Loop:
    """Send the forms in a closed loop; each must be answered by 303 to a receipt of its own.

    Raises:
        WrongAnswerError: one was not, or two share a receipt.
    """
    waiting = iter(forms)
    receipts: list[str] = []

    def work() -> None:
        with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            for form in _shared(waiting):
                headers = {"Cookie": form.cookie, "Content-Type": "application/x-www-form-urlencoded"}
                connection.request("POST", f"/c/{slug}/comment/", form.body, headers)
                answer = connection.getresponse()
                answer.read()
                if answer.status == 303 and f"/c/{slug}/receipt/" in (answer.getheader("Location") or ""):
                    receipts.append(answer.getheader("Location") or "")

    began = time.perf_counter()
    _in_threads(work)
    took = time.perf_counter() - began
    if len(set(receipts)) != len(forms):
        raise WrongAnswerError(f"{len(forms)} forms sent, {len(set(receipts))} receipts")
    return Loop(len(forms), took)


def get_pages(target: Target, length: int, requests: int) -> Loop:
    """Ask for one page a given number of times in the closed loop of `post_forms`."""
    waiting = iter(range(requests))
    right: list[int] = []

    def work() -> None:
        with closing(HTTPConnection("127.0.0.1", target.port, timeout=60)) as connection:
            for number in _shared(waiting):
                connection.request("GET", target.path, headers=target.headers())
                answer = connection.getresponse()
                if answer.status == 200 and abs(len(answer.read()) - length) <= _TOLERANCE * length + 1:
                    right.append(number)

    began = time.perf_counter()
    _in_threads(work)
    took = time.perf_counter() - began
    if len(right) != requests:
        raise WrongAnswerError(f"{target.path}: {requests - len(right)} of {requests} answers were wrong")
    return Loop(requests, took)


_TAKING = threading.Lock()
Thing = TypeVar("Thing")


def _shared(things: Iterator[Thing]) -> Iterator[Thing]:
    """Hand out each thing once over all threads."""
    while True:
        with _TAKING:
            thing = next(things, None)
        if thing is None:
            return
        yield thing


def _in_threads(work: Callable[[], None]) -> None:
    def guarded() -> None:
        try:
            work()
        except (OSError, HTTPException, WrongAnswerError) as error:
            print(f"  a connection gave up: {error!r}", flush=True)

    threads = [threading.Thread(target=guarded) for _ in range(CONNECTIONS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
