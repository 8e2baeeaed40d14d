"""The measured rounds: bare view and product in turn, in one run, on one store."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench import commits, load, pages, profiling, stores
from bench.load import Loop, Target
from bench.servers import ROOT, Server, tree_cpu_seconds
from bench.stores import SLUG, Postgres

MANY, FEW = 100_000, 1_000
EXPORTED = 20_000
WORKERS = max(2, os.cpu_count() or 2)


@dataclass(frozen=True)
class Pace:
    """How long everything takes."""

    rounds: int = 5
    seconds: float = 2.0
    forms: int = 160
    counted: int = 100
    sizes: tuple[int, ...] = (FEW, MANY)
    exported: int = EXPORTED


QUICK = Pace(rounds=1, seconds=1.0, forms=24, counted=16, sizes=(FEW,), exported=FEW)


@dataclass(frozen=True)
class Row:
    """One line of the result: the samples of every round, in `unit`."""

    name: str
    store: str
    size: int
    samples: tuple[float, ...]
    unit: str = "x ok"
    milliseconds: float = 0.0
    note: str = ""

    @property
    def median(self) -> float:
        """The middle sample."""
        return statistics.median(self.samples)


@dataclass
class Results:
    """What a run found."""

    rows: list[Row] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    loads: list[float] = field(default_factory=list)

    def note_load(self) -> None:
        """Remember the load average of the last minute."""
        self.loads.append(os.getloadavg()[0])


class Bench:
    """One store with its servers: the bare one, and the product at every size."""

    def __init__(self, kind: str, pace: Pace, only: str, results: Results, server: Postgres | None) -> None:
        self.kind = kind
        self._pace = pace
        self._only = only
        self._results = results
        self._postgres = server
        self._servers: dict[int, Server] = {}
        self._sections: dict[int, str] = {}
        self._cookies: dict[int, str] = {}
        self._folders: dict[int, Path] = {}
        self._bare: Server | None = None
        self._numbers = 0

    def run(self) -> None:
        """Measure everything that was asked for."""
        with ExitStack() as stack:
            self._start(stack)
            self._bare_page()
            for name in pages.NAMES:
                if self._wanted(name):
                    self._page(name)
                    if name in pages.KEPT_BY_THE_SITE:
                        self._page(name, anew=True)
            if self._wanted("submit"):
                self._submit()
                self._count_commits()
            self._memory()
        if self._wanted("export"):
            self._export()

    def _wanted(self, name: str) -> bool:
        return self._only in ("", name)

    def _copy(self, size: int) -> tuple[str, Path]:
        return self._postgres.copy(size) if self._postgres else stores.sqlite_copy(size)

    def _start(self, stack: ExitStack) -> None:
        # The settings file gives SQLite two workers and PostgreSQL as many as there are cores; all get the same here.
        folder = stores.kept() / "bare"
        folder.mkdir(parents=True, exist_ok=True)
        self._bare = stack.enter_context(Server("bench.bare:app", folder, {}, WORKERS))
        for size in self._pace.sizes:
            url, files = self._copy(size)
            self._sections[size] = pages.busy_section(url)
            self._cookies[size] = stores.sign_in(url)
            self._folders[size] = files
            self._statements(url, size)
            self._servers[size] = stack.enter_context(Server("wsgi:app", files, stores.settings_of(url), WORKERS))

    def _statements(self, url: str, size: int) -> None:
        opened = profiling.open_product(url)
        try:
            told = []
            for name in ("section", "overview", "table", "queue"):
                cookie = opened.cookie if pages.PAGES[name].staff else ""
                n = profiling.statements(opened, pages.address(name, opened.section, anew=True), cookie)
                told.append(f"{name} {n}")
            self._results.facts[f"statements per page, {self.kind}, {size:,} comments"] = ", ".join(told)
        finally:
            opened.store.dispose()

    # -- pages -------------------------------------------------------------------------------------

    def _bare_target(self, path: str, marker: str) -> Target:
        assert self._bare is not None
        return Target(self._bare.port, path, marker)

    def _bare_page(self) -> None:
        if self.kind != "sqlite" or not self._wanted("page"):
            return
        assert self._bare is not None
        target = self._bare_target("/page", "页尾")
        self._rounds("page", {0: (target, self._bare.cpu_seconds)})

    def _page(self, name: str, *, anew: bool = False) -> None:
        page = pages.PAGES[name]
        targets: dict[int, tuple[Target, Callable[[], float]]] = {}
        for size, server in self._servers.items():
            cookie = self._cookies[size] if page.staff else ""
            path = pages.address(name, self._sections[size], anew=anew)
            target = Target(server.port, path, page.marker, page.least, cookie, page.count)
            targets[size] = (target, self._cost_of(server))
        self._rounds(f"{name} anew" if anew else name, targets)

    def _rounds(self, name: str, targets: Mapping[int, tuple[Target, Callable[[], float]]]) -> None:
        """Measure the bare view and every target in turn; look at whole answers before and after."""
        assert self._bare is not None
        ok = self._bare_target("/ok", "ok")
        lengths = {size: load.check(target) for size, (target, _cpu) in targets.items()}
        for size, (target, _cpu) in targets.items():
            load.run_wrk(target, lengths[size], 1)
        found: dict[int, list[tuple[float, float]]] = {size: [] for size in targets}
        for _ in range(self._pace.rounds):
            base = _cost(self._bare.cpu_seconds, lambda: load.run_wrk(ok, 2, self._pace.seconds))
            for size, (target, cpu) in targets.items():
                cost = _cost(cpu, lambda: load.run_wrk(target, lengths[size], self._pace.seconds))  # noqa: B023 - at once
                found[size].append((cost / base, cost))
            self._results.note_load()
        for size, (target, _cpu) in targets.items():
            load.check(target)
            self._add(name, size, found[size], f"{lengths[size]:,} bytes")

    def _add(self, name: str, size: int, found: list[tuple[float, float]], note: str = "") -> None:
        row = Row(
            name,
            self.kind if size else "",
            size,
            tuple(ratio for ratio, _ in found),
            milliseconds=statistics.median(cost for _, cost in found),
            note=note,
        )
        self._results.rows.append(row)
        print(f"  {self.kind:10} {name:13} {size:>7,}  {row.median:6.1f} x ok  {row.milliseconds:7.2f} ms", flush=True)

    def _cost_of(self, server: Server) -> Callable[[], float]:
        pid = self._postgres.pid if self._postgres else None
        if pid is None:
            return server.cpu_seconds
        return lambda: server.cpu_seconds() + tree_cpu_seconds(pid)

    # -- submitting --------------------------------------------------------------------------------

    def _forms(self, size: int, n: int) -> list[load.Filled]:
        first, self._numbers = self._numbers, self._numbers + n
        return load.fetch_forms(self._servers[size].port, SLUG, self._sections[size], range(first, first + n))

    def _submit(self) -> None:
        """Measure the POST alone: forms are fetched before a round; the bare view gets the same loop."""
        assert self._bare is not None
        ok = self._bare_target("/ok", "ok")
        size = self._pace.sizes[0]
        server = self._servers[size]
        load.post_forms(server.port, SLUG, self._forms(size, self._pace.forms // 4))
        found, rates = [], []
        for _ in range(self._pace.rounds):
            forms = self._forms(size, self._pace.forms)
            base = _cost(self._bare.cpu_seconds, lambda: load.get_pages(ok, 2, self._pace.forms * 10))
            loops: list[Loop] = []

            def post(sent: list[load.Filled] = forms, into: list[Loop] = loops) -> Loop:
                into.append(load.post_forms(server.port, SLUG, sent))
                return into[-1]

            cost = _cost(self._cost_of(server), post)
            found.append((cost / base, cost))
            rates.append(loops[0].requests / loops[0].seconds)
            self._results.note_load()
        self._add("submit", size, found, f"{statistics.median(rates):.0f} accepted a second over {load.CONNECTIONS}")

    def _count_commits(self) -> None:
        """Count the durable commits of some submissions, and raw ones a second beside them."""
        size, n = self._pace.sizes[0], self._pace.counted
        forms = self._forms(size, n)
        port, folder = self._servers[size].port, self._folders[size]
        if self._postgres is None:
            before = commits.sqlite_commits(folder / "consult.db")
            load.post_forms(port, SLUG, forms)
            counted = commits.sqlite_commits(folder / "consult.db") - before
            raw = commits.raw_sqlite(folder, self._pace.seconds)
        else:
            with commits.nothing_else_writes(self._postgres):
                book = commits.PostgresCommits(self._postgres, f"run_{size}")
                load.post_forms(port, SLUG, forms)
                counted = book.count()
                book.close()
            raw = commits.raw_postgres(self._postgres, f"run_{size}", self._pace.seconds)
        facts = self._results.facts
        facts[f"durable commits, {self.kind}"] = f"{counted} for {n} accepted comments"
        facts[f"raw durable commits a second, {self.kind}"] = f"{raw:,.0f} (one connection, one row each)"
        print(f"  {self.kind:10} commits       {counted} for {n} accepted; raw {raw:,.0f} a second", flush=True)

    # -- memory and exports ------------------------------------------------------------------------

    def _memory(self) -> None:
        assert self._bare is not None
        for size, server in self._servers.items():
            worker = server.largest_worker() / 2**20
            self._results.rows.append(Row("memory", self.kind, size, (worker,), "MB"))
            print(f"  {self.kind:10} memory        {size:>7,}  {worker:6.1f} MB", flush=True)
        if self.kind == "sqlite":
            bare = self._bare.largest_worker() / 2**20
            self._results.rows.append(Row("memory of the bare worker", "", 0, (bare,), "MB"))

    def _export(self) -> None:
        """Export by the product and by xlsxwriter alone, in turn, each in a process of its own."""
        size = self._pace.exported
        url, folder = self._copy(size)
        ratios, grown, product_cpu = [], [], []
        with tempfile.TemporaryDirectory() as scratch:
            rows = Path(scratch) / "rows"
            _child("rows", url, str(rows))
            streamed = _child("streamed", str(rows), scratch)
            for _ in range(self._pace.rounds):
                alone = _child("alone", str(rows), scratch)
                before = tree_cpu_seconds(self._postgres.pid) if self._postgres else 0.0
                product = _child("product", url, str(folder))
                backends = tree_cpu_seconds(self._postgres.pid) - before if self._postgres else 0.0
                if product["rows"] != alone["rows"]:
                    raise load.WrongAnswerError(f"{product['rows']} rows exported, {alone['rows']} expected")
                ratios.append((product["cpu"] + backends) / alone["cpu"])
                product_cpu.append(product["cpu"] + backends)
                grown.append((product["grown"] - streamed["grown"]) / 2**20)
                self._results.note_load()
        note = f"{alone['rows']:,.0f} rows, {statistics.median(product_cpu):.1f} s of CPU"
        self._results.rows.append(Row("export", self.kind, size, tuple(ratios), "x alone", note=note))
        self._results.rows.append(Row("export memory", self.kind, size, tuple(grown), "MB more"))
        print(f"  {self.kind:10} export        {size:>7,}  {statistics.median(ratios):6.2f} x alone, "
              f"{statistics.median(grown):+.1f} MB", flush=True)  # fmt: skip


def _cost(cpu: Callable[[], float], drive: Callable[[], Loop]) -> float:
    """Return CPU milliseconds per request."""
    before = cpu()
    loop = drive()
    return (cpu() - before) * 1000 / loop.requests


def _child(*arguments: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.exporting", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{arguments[0]}: {done.stderr[-2000:]}")
    told: dict[str, float] = json.loads(done.stdout) if done.stdout.strip() else {}
    return told
