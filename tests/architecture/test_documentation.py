"""Settings, error codes, decisions and links: what is written about the product is what it does."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from consult import i18n
from consult.domain.errors import all_codes

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
DECISIONS = sorted((DOCS / "decisions").glob("[0-9]*.md"))
PAGES = sorted({*ROOT.glob("*.md"), *DOCS.rglob("*.md")})
_SETTING = re.compile(r"\bCONSULT_[A-Z]+(?:_[A-Z]+)*\b")
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_CODE_PATH = re.compile(r"`((?:consult|moderation|tests|scripts|migrations|templates|static|docs|bench)/[\w./-]+\w)`")


def read(path: Path) -> str:
    return path.read_text("utf-8")


@pytest.fixture(scope="module")
def document_errors() -> ModuleType:
    spec = importlib.util.spec_from_file_location("document_errors", ROOT / "scripts" / "document_errors.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_setting_the_code_reads_is_documented_and_no_other() -> None:
    in_code = set(_SETTING.findall(read(ROOT / "consult/settings.py") + read(ROOT / "gunicorn.conf.py")))
    rows = {line.split("|")[1] for line in read(DOCS / "settings.md").splitlines() if line.startswith("| `")}
    assert {name for row in rows for name in _SETTING.findall(row)} == in_code
    assert set(_SETTING.findall(read(DOCS / "settings.md"))) == in_code


def test_every_code_of_a_refusal_has_wording_and_a_line_in_the_documentation(document_errors: ModuleType) -> None:
    assert not document_errors.without_wording()
    documented = set(re.findall(r"^\| `(\w+)`", read(DOCS / "errors.md"), flags=re.MULTILINE))
    assert all_codes() | set(i18n.MESSAGES) <= documented


def test_the_page_of_error_codes_is_what_the_code_says(document_errors: ModuleType) -> None:
    assert read(DOCS / "errors.md") == document_errors.page(), "run: python scripts/document_errors.py"


def test_decisions_are_numbered_without_gaps_and_have_their_four_parts() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    assert len(DECISIONS) >= 12
    for path in DECISIONS:
        heads = re.findall(r"^## (.+)$", read(path), flags=re.MULTILINE)
        assert heads[:4] == ["Context", "Options", "Choice", "Consequence"], path.name
        assert f"({path.name})" in read(DOCS / "decisions/README.md"), f"{path.name} is not in the list"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    for target in _LINK.findall(read(page)):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_a_page_names_exists(page: Path) -> None:
    named = [name for name in _CODE_PATH.findall(read(page)) if not name.endswith("/X.html")]  # any page
    missing = [name for name in named if not (ROOT / name).exists()]
    assert not missing


def test_every_target_that_a_page_names_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", read(ROOT / "Makefile"), flags=re.MULTILINE))
    for page in PAGES:
        assert set(re.findall(r"`make ([a-z-]+)", read(page))) <= targets, page.name


def test_every_command_that_a_page_names_is_there() -> None:
    """`consult WORD` in a page is a command of the command line."""
    said = {word for page in PAGES for word in re.findall(r"\bbin/consult ([a-z]+)|`consult ([a-z]+)", read(page))}
    words = sorted({one for pair in said for one in pair if one})
    assert words
    for word in words:
        done = subprocess.run(
            [sys.executable, "-c", "from moderation.cli import main; main()", word, "--help"],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, (word, done.stderr)


def test_both_readmes_name_the_same_commands_addresses_and_logins() -> None:
    english, chinese = read(ROOT / "README.md"), read(ROOT / "README.zh-CN.md")

    def facts(text: str) -> set[str]:
        return set(re.findall(r"`([^`\n]+)`", text))

    assert facts(english) == facts(chinese)
    for needed in (
        "make demo",
        "make test",
        "moderator",
        "jtw-officer",
        "jtw-leader",
        "signer",
        "supervisor",
        "auditor",
    ):
        assert f"`{needed}`" in english


def test_the_changelog_keeps_its_headings() -> None:
    text = read(ROOT / "CHANGELOG.md")
    assert "## Unreleased" in text
    heads = re.findall(r"^### (.+)$", text, flags=re.MULTILINE)
    assert set(heads) <= {"Added", "Changed", "Fixed", "Security", "For operators"}
