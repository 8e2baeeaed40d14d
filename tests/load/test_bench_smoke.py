"""The benchmarks run: one short round of one page on SQLite, with its document."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("wrk") is None, reason="the benchmarks need wrk (Debian)")
def test_the_benchmarks_run_one_round_on_sqlite(tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CONSULT_")}
    command = [sys.executable, "-m", "bench", "--quick", "--store", "sqlite", "--only", "submit"]
    done = subprocess.run(
        [*command, "--write", str(document), "--keep", str(tmp_path / "kept")],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = document.read_text(encoding="utf-8")
    assert "| accepted comment, the POST alone | sqlite | 1,000 |" in told
    assert "durable commits, sqlite: 16 for 16 accepted comments" in told
    assert "Load average" in told
