"""The import contracts of pyproject.toml hold, and each of them can break."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "pyproject.toml"
PACKAGES = ("consult", "moderation")
_BREAKS_ON = re.compile(r"^# breaks on +(\S+\.py): (.+)$")
NEW = "(a new module)"


def contracts() -> list[dict[str, object]]:
    found: list[dict[str, object]] = tomllib.loads(PROJECT.read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    return found


def planted() -> list[tuple[str, str, str]]:
    """Contract, file and line of every violation that pyproject.toml names beside a contract."""
    found, waiting = [], []
    for line in PROJECT.read_text("utf-8").splitlines():
        if match := _BREAKS_ON.match(line):
            waiting.append((match[1], match[2]))
        elif line.startswith("id = "):
            found += [(line.split('"')[1], path, text) for path, text in waiting]
            waiting = []
    return found


def lint(folder: Path) -> dict[str, bool]:
    """Run lint-imports on the packages of a folder and return contract id → kept."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    start = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", start, "--config", str(PROJECT), "--no-cache"],
        cwd=folder, env=kept | {"PYTHONPATH": str(folder), "COLUMNS": "300", "PYTHONUTF8": "1"},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    names = {str(contract["name"]): str(contract["id"]) for contract in contracts()}
    said = dict(re.findall(r"^(.+?) (KEPT|BROKEN)$", done.stdout, flags=re.MULTILINE))
    assert set(said) == set(names), done.stdout + done.stderr
    return {names[name]: word == "KEPT" for name, word in said.items()}


@pytest.fixture(scope="module")
def stubs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both packages with every module empty."""
    folder = tmp_path_factory.mktemp("stubs")
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            target = folder / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
    return folder


def test_every_contract_is_kept_by_the_tree() -> None:
    broken = [name for name, kept in lint(ROOT).items() if not kept]
    assert not broken, f"run lint-imports: {broken}"


def test_every_contract_is_kept_by_empty_modules(stubs: Path) -> None:
    assert all(lint(stubs).values())


def test_there_are_twelve_contracts_and_each_names_what_breaks_it() -> None:
    names = [contract["id"] for contract in contracts()]
    assert len(names) == 12
    assert {name for name, _, _ in planted()} == set(names)


@pytest.mark.parametrize(("contract", "path", "line"), planted())
def test_a_contract_breaks_on_its_planted_violation(stubs: Path, contract: str, path: str, line: str) -> None:
    module = stubs / path
    if line == NEW:
        assert not module.exists()
    else:
        assert module.exists(), f"{path} is gone: name another module beside the contract {contract}"
    try:
        module.write_text("" if line == NEW else f"{line}\n", encoding="utf-8")
        assert not lint(stubs)[contract]
    finally:
        if line == NEW:
            module.unlink()
        else:
            module.write_text("", encoding="utf-8")


def test_the_one_door_contract_watches_every_module_but_the_gateways() -> None:
    watched = {
        str(name) for contract in contracts() if contract["id"] == "one-door" for name in contract["source_modules"]
    }  # type: ignore[attr-defined]
    inside = {
        path.stem for path in (ROOT / "consult").iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert watched == {f"consult.{name}" for name in inside - {"__init__", "gateways"}} | {"moderation"}
