"""What must never lie in the repository: secrets, paths of one machine, hosts of registries."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ITSELF = Path(__file__).name

_MACHINE = re.compile(r"(?<![\w.:/-])/(?:home|Users|work|root)/[A-Za-z0-9_.-]+|[A-Z]:\\\\Users\\\\")
_HOST = re.compile(
    r"(?:index-url|extra-index-url|trusted-host|find-links)[ =]+\S+://|files\.pythonhosted\.org|registry\.npmjs",
    re.IGNORECASE,
)
_SECRET = (
    re.compile(r"-----BEGIN (?:RSA |EC |OPENSSH |)PRIVATE KEY-----"),
    re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    re.compile(r"\bgh[pousr]_[A-Za-z0-9]{30,}\b|\bsk-[A-Za-z0-9]{20,}\b|\bxox[abp]-[A-Za-z0-9-]{10,}"),
    re.compile(r"CONSULT_(?:SECRET_KEY|FIELD_KEYS|INDEX_KEY) *[=:] *[\"']?[A-Za-z0-9_=-]{24,}"),
    re.compile(
        r"[a-z]+://[^\s/:@{}*<>]+:(?!\*\*\*|pw\b|password\b|secret\b|PASSWORD\b)[^\s/:@{}<>]{6,}@(?!example|localhost|host\b|db\b|mail\b)[a-z]"
    ),
    # A Fernet key: 43 characters of URL-safe base 64 and one sign.
    re.compile(r"[\"'][A-Za-z0-9_-]{43}=[\"']"),
)


def tracked() -> list[Path]:
    """Text files under version control, or what lies in the folder where there is none (a source archive)."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    names = done.stdout.decode().split("\0") if done.returncode == 0 else []
    paths = [ROOT / name for name in names if name] or [
        path for path in ROOT.rglob("*") if path.is_file() and not {".venv", "var", ".git"} & set(path.parts)
    ]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:4096]]


def found(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked()
        if path.name != ITSELF
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_names_a_folder_of_one_machine() -> None:
    assert not found(_MACHINE)


def test_no_file_names_a_host_of_a_package_registry() -> None:
    assert not found(_HOST)


@pytest.mark.parametrize("pattern", _SECRET, ids=range(len(_SECRET)))
def test_no_file_holds_what_looks_like_a_secret(pattern: re.Pattern[str]) -> None:
    assert not found(pattern)


def test_the_patterns_would_notice_what_they_look_for() -> None:
    key = "a" * 43
    assert _MACHINE.search("see /home/someone/notes")
    assert not _MACHINE.search("https://example.org/home/page")
    assert _HOST.search("--index-url https://example.org/simple")
    samples = (
        "-----BEGIN " + "PRIVATE KEY-----", "AKIA" + "A" * 16, "ghp_" + "a" * 36, "CONSULT_SECRET_KEY=" + key,
        "postgresql://consult:hunter22@db1/consult", f'"{key}="',
    )  # fmt: skip
    for pattern, sample in zip(_SECRET, samples, strict=True):
        assert pattern.search(sample), sample


def test_no_file_that_can_be_made_again_is_kept() -> None:
    made = re.compile(r"(^|/)(__pycache__|\.venv|var|dist|build|\.mypy_cache|\.ruff_cache)/|\.(pyc|db|db-wal)$")
    assert not [str(path.relative_to(ROOT)) for path in tracked() if made.search(str(path.relative_to(ROOT)))]


def test_every_text_ends_its_lines_the_unix_way() -> None:
    skipped = {".csv"}
    assert not [
        str(path.relative_to(ROOT)) for path in tracked() if path.suffix not in skipped and b"\r\n" in path.read_bytes()
    ]
