"""The built wheel works from any folder: what it carries is what the product needs to run."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import pytest

from tests.support.servers import free_port

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow
SETTINGS = {"CONSULT_ENV": "test", "CONSULT_LIMITS": "off"}
BROWSER = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
"""Keeps cookies: a challenge belongs to the visitor who was given it."""


def run(*command: str, cwd: Path, **environ: str) -> str:
    """Run a command without our settings and return what it says."""
    done = subprocess.run(
        command, cwd=cwd, env=_environment() | environ, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _environment() -> dict[str, str]:
    dropped = ("CONSULT_", "PYTHONPATH", "PYTEST_", "PORT")
    return {name: value for name, value in os.environ.items() if not name.startswith(dropped)}


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a fresh wheel and source archive; nothing is fetched."""
    out = tmp_path_factory.mktemp("dist")
    pytest.importorskip("build", reason="the development extra brings the build tool")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), cwd=ROOT)
    return out


@pytest.fixture(scope="module")
def installed(archives: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel in a folder of its own; its dependencies are those of this environment."""
    target = tmp_path_factory.mktemp("installed")
    (wheel,) = archives.glob("*.whl")
    options = ("--no-deps", "--no-index", "--quiet", "--disable-pip-version-check", "--target", str(target))
    run(sys.executable, "-m", "pip", "install", *options, str(wheel), cwd=archives)
    return target


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """An empty folder that has nothing to do with the checkout."""
    return tmp_path


@pytest.fixture
def consult(installed: Path, elsewhere: Path) -> list[str]:
    """How to call the installed command; it must not be the checkout that answers."""
    where = run(
        sys.executable, "-c", "import consult, moderation; print(consult.__file__); print(moderation.__file__)",
        cwd=elsewhere, PYTHONPATH=str(installed),
    )  # fmt: skip
    assert all(line.startswith(str(installed)) for line in where.split())
    return [sys.executable, str(installed / "bin" / "consult")]


def test_help_and_labels_need_no_settings_and_no_store(consult: list[str], installed: Path, elsewhere: Path) -> None:
    asked = {"cwd": elsewhere, "PYTHONPATH": str(installed)}
    assert "label" in run(*consult, "--help", **asked)  # type: ignore[arg-type]
    drafts = installed / "consult" / "demo_data"
    run(*consult, "label", "sections", str(drafts), "-o", "out.jsonl", **asked)  # type: ignore[arg-type]
    assert '"label"' in (elsewhere / "out.jsonl").read_text("utf-8")
    assert [path.name for path in elsewhere.iterdir()] == ["out.jsonl"]


def test_the_installed_product_migrates_loads_and_serves_from_an_unrelated_folder(
    consult: list[str], installed: Path, elsewhere: Path
) -> None:
    port = free_port()
    given = SETTINGS | {"PYTHONPATH": str(installed), "PORT": str(port)}
    run(*consult, "db", "upgrade", cwd=elsewhere, **given)
    run(*consult, "db", "check", cwd=elsewhere, **given)
    run(*consult, "demo", cwd=elsewhere, **given)
    log = (elsewhere / "serve.log").open("wb")
    server = subprocess.Popen(
        [*consult, "serve", "--workers", "1"],
        cwd=elsewhere, env=_environment() | given, stdout=log, stderr=log, start_new_session=True,
    )  # fmt: skip
    try:
        home = _page(port, "/")
        assert "ready" in _page(port, "/readyz")
        for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', home):
            assert _fetch(port, address)
        slug = re.findall(r'href="/c/([\w-]+)/"', home)[0]
        form = _page(port, f"/c/{slug}/comment/")
        picture = re.findall(r'src="(/captcha/[^"]+\.png)', form)[0]
        assert _fetch(port, picture).startswith(b"\x89PNG")
        assert _fetch(port, picture.replace(".png", ".wav")).startswith(b"RIFF")
        assert "牵头" in _page(port, "/plan/")
        assert "登录" in _page(port, "/staff/sign-in")
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=60) == 0, (elsewhere / "serve.log").read_text("utf-8")
        log.close()
    assert sorted(path.name for path in elsewhere.iterdir()) == ["serve.log", "var"]


def test_the_wheel_carries_nothing_that_only_developers_need(archives: Path) -> None:
    (wheel,) = archives.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"consult", "moderation"}
    assert not [name for name in names if name.endswith((".pyc", ".db"))]
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert "consult/translations/en/LC_MESSAGES/messages.mo" in names
    kinds = {"templates": ".html", "static": ".css", "migrations": ".py"}
    for folder, ending in kinds.items():
        there = {name.split("/_assets/")[1] for name in names if f"/_assets/{folder}/" in name}
        here = {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob(f"*{ending}")}
        assert here <= there


def test_the_source_archive_carries_what_the_tests_and_the_scripts_need(archives: Path) -> None:
    (archive,) = archives.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        names = {name.split("/", 1)[1] for name in packed.getnames() if "/" in name}
    for needed in ("scripts/make_sound_clips.py", "tests/conftest.py", "docs/settings.md", "Makefile", "wsgi.py",
                   "requirements.lock", "babel.cfg", "README.zh-CN.md", "LICENSE",
                   "migrations/env.py", ".ci/run"):  # fmt: skip
        assert needed in names, needed


def _fetch(port: int, path: str) -> bytes:
    give_up = time.monotonic() + 60
    while True:
        try:
            with BROWSER.open(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
                return bytes(answer.read())
        except (ConnectionError, urllib.error.URLError) as error:
            if isinstance(error, urllib.error.HTTPError) or time.monotonic() > give_up:
                raise
            time.sleep(0.2)


def _page(port: int, path: str) -> str:
    return _fetch(port, path).decode()
