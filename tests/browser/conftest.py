"""A real Chromium, and the demonstration served by real gunicorn with its background worker."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.application import MASTER_ANSWER
from tests.support.servers import ROOT, Server

playwright_api = pytest.importorskip("playwright.sync_api")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(str(item.path)).is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def browser() -> Iterator[playwright_api.Browser]:
    """One Chromium for all journeys; its own network is off but for the pages it is sent to."""
    if not Path(CHROMIUM).exists():
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail("REQUIRE_BROWSER is set and Chromium is not installed")
        pytest.skip("Chromium is not installed: apt-get install chromium fonts-noto-cjk")
    with playwright_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
            ],
        )
        yield started
        started.close()


@dataclass(frozen=True)
class Demonstration:
    """The served demonstration: where it is and who can sign in."""

    base: str
    passwords: dict[str, str]
    folder: Path

    def sign_in(self, page: playwright_api.Page, username: str) -> None:
        """Sign in as one of the printed logins."""
        page.goto(f"{self.base}/staff/sign-in")
        page.fill("[name=username]", username)
        page.fill("[name=password]", self.passwords[username])
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "sign-in" not in url)


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    """Load the demonstration with the product's own command, then serve it with a worker beside."""
    folder = tmp_path_factory.mktemp("demonstration")
    url = f"sqlite:///{folder / 'consult.db'}"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CONSULT_")}
    environ |= {"CONSULT_ENV": "test", "CONSULT_DATABASE_URL": url}
    consult = [sys.executable, "-m", "moderation.cli"]
    loaded = subprocess.run(
        [*consult, "demo"],
        cwd=folder,
        env=environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    passwords = dict(re.findall(r"^ {2}(\S+) +((?:[a-z0-9]{4}-){3}[a-z0-9]{4}) ", loaded.stdout, re.MULTILINE))
    server = Server(folder, url, workers=2, threads=4, CONSULT_NOW="", CONSULT_CAPTCHA_ANSWER=MASTER_ANSWER)
    with server, (folder / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            [*consult, "worker"], cwd=folder, env=environ | {"PYTHONPATH": str(ROOT)}, stdout=log, stderr=log
        )
        try:
            yield Demonstration(f"http://127.0.0.1:{server.port}", passwords, folder)
        finally:
            worker.terminate()
            worker.wait(timeout=30)


@pytest.fixture
def artifacts() -> Path:
    """Where screenshots are kept; the folder is ignored by git."""
    folder = ROOT / "tests" / "artifacts"
    folder.mkdir(exist_ok=True)
    return folder
