"""Making processes really do something at the same moment."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

RACERS = 4


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    """Four other processes, which outlive a test: starting them takes longer than all they do."""
    with ProcessPoolExecutor(RACERS, mp_context=get_context("spawn")) as pool:
        yield pool


def meet(place: Path) -> None:
    """Wait until all four processes are here; each comes once, so that none does another's share of the race.

    Raises:
        TimeoutError: the others did not come within a minute.
    """
    place.mkdir(exist_ok=True)
    (place / str(os.getpid())).touch()
    give_up = time.monotonic() + 60
    while len(list(place.iterdir())) < RACERS:
        if time.monotonic() > give_up:
            raise TimeoutError("the other processes did not come")
        time.sleep(0.001)
