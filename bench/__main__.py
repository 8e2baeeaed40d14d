"""`python -m bench`: everything, about twelve minutes; `--quick` shows in half a minute that it runs."""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from bench import pages, report, stores
from bench.operations import QUICK, Bench, Pace, Results

NAMES = ("page", *pages.NAMES, "submit", "export")


def main() -> int:
    """Run what was asked for, print the table and, after a whole run, write the document."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Benchmarks in x ok; see docs/benchmarks.md.")
    parser.add_argument("--only", choices=NAMES, default="", help="one operation")
    parser.add_argument("--store", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--quick", action="store_true", help="one short round at 1,000 comments; not to be quoted")
    parser.add_argument("--seconds", type=float, default=0.0, help="length of a round")
    parser.add_argument("--write", type=Path, help="write the document here, whatever was run")
    parser.add_argument("--keep", type=Path, help="where seeded SQLite stores are kept; var/bench")
    given = parser.parse_args()
    if given.keep:
        stores.keep_in(given.keep)
    pace = QUICK if given.quick else Pace(seconds=given.seconds or Pace.seconds)
    whole = not given.quick and not given.only and given.store == "both"
    began, results = time.monotonic(), Results()
    results.note_load()
    stores.kept().mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        if given.store in ("sqlite", "both"):
            Bench("sqlite", pace, given.only, results, None).run()
        if given.store in ("postgresql", "both"):
            server = stack.enter_context(stores.postgres())
            Bench("postgresql", pace, given.only, results, server).run()
    results.facts["duration"] = f"{(time.monotonic() - began) / 60:.1f} minutes"
    print()
    print(report.table(results))
    target = given.write or (stores.ROOT / "docs" / "benchmarks.md" if whole else None)
    if target is not None:
        target.write_text(report.document(results, pace), encoding="utf-8")
        print(f"written: {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
