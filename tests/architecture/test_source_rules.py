"""What import contracts cannot see: rules of the house that are read from the syntax tree of the sources."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("consult", "moderation")
LONGEST = 600  # lines
CLOCKS = (
    *("datetime.now", "datetime.utcnow", "datetime.today", "date.today"),
    *("time.time", "time.time_ns", "time.localtime", "time.gmtime"),
)
SIDE_STORE = "consult/gateways/short_lived_sql.py"
"""The short-lived store opens its own side file and ends its own transactions: it is not the comment store."""


def sources() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8"))


def offenders(breaks: Callable[[ast.AST], bool], allowed: tuple[str, ...]) -> list[str]:
    """Where a rule is broken, outside the modules that own the thing."""
    return [
        f"{name}:{getattr(node, 'lineno', 0)}"
        for name, tree in sources()
        if name not in allowed
        for node in ast.walk(tree)
        if breaks(node)
    ]


def dotted(node: ast.AST) -> str:
    """`a.b.c` of an attribute chain, as far as it is one."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def ends_a_transaction(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {
        "commit",
        "rollback",
    }  # fmt: skip


def opens_a_store(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return any(one.name in {"create_engine", "sessionmaker", "scoped_session"} for one in node.names)
    return dotted(node).endswith((".create_engine", ".sessionmaker"))


def reads_the_clock(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom) and node.module == "time":
        return any(one.name in {"time", "time_ns", "localtime", "gmtime"} for one in node.names)
    if not isinstance(node, ast.Attribute):
        return False
    return dotted(node).endswith(CLOCKS)


def reads_the_environment(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom) and node.module == "os":
        return any(one.name in {"environ", "getenv", "environb"} for one in node.names)
    return dotted(node) in {"os.environ", "os.getenv", "os.environb"}


RULES: dict[str, tuple[Callable[[ast.AST], bool], tuple[str, ...], str]] = {
    "transactions end in db.py": (ends_a_transaction, ("consult/db.py", SIDE_STORE), "session.commit()"),
    "stores are opened in db.py": (
        opens_a_store,
        ("consult/db.py", SIDE_STORE),
        "from sqlalchemy import create_engine",
    ),
    "time is read in clock.py": (reads_the_clock, ("consult/clock.py",), "datetime.now(UTC)"),
    "the environment is read in settings.py": (reads_the_environment, ("consult/settings.py",), "os.environ['X']"),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_of_the_house_is_kept_by_every_module(rule: str) -> None:
    breaks, allowed, _ = RULES[rule]
    assert not offenders(breaks, allowed)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_of_the_house_would_notice_its_violation(rule: str) -> None:
    breaks, allowed, violation = RULES[rule]
    assert any(breaks(node) for node in ast.walk(ast.parse(violation)))
    assert all((ROOT / name).is_file() for name in allowed)


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def test_domain_modules_import_the_standard_library_the_domain_and_regex_only() -> None:
    foreign = [
        f"{name}: {module}"
        for name, tree in sources()
        if name.split("/")[1] == "domain"
        for module in imported(tree)
        if module.split(".")[0] not in sys.stdlib_module_names
        and module != "regex"
        and not module.startswith("consult.domain")
        and not (name.startswith("moderation/") and module.startswith("moderation.domain"))
    ]
    assert not foreign


def test_no_module_is_named_after_nothing() -> None:
    refused = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
    assert not [name for name, _ in sources() if Path(name).stem in refused]


def python_files() -> list[Path]:
    folders = [*PACKAGES, "tests", "scripts", "bench"]
    return [path for folder in folders for path in (ROOT / folder).rglob("*.py")] + list(ROOT.glob("*.py"))


def test_no_python_file_is_longer_than_600_lines() -> None:
    too_long = {
        str(path.relative_to(ROOT)): count
        for path in python_files()
        if (count := len(path.read_text("utf-8").splitlines())) > LONGEST
    }
    assert not too_long


def test_imports_are_absolute() -> None:
    assert not [f"{name}: {module}" for name, tree in sources() for module in imported(tree) if module.startswith(".")]


def test_every_package_and_module_says_what_it_is() -> None:
    assert not [name for name, tree in sources() if not ast.get_docstring(tree)]


def test_the_public_site_alone_imports_nothing_of_moderation(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from consult import settings\n"
        "from consult.app import create_app\n"
        "app = create_app(settings.load())\n"
        "with app.test_client() as client:\n"
        "    assert client.get('/healthz').status_code == 200\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] == 'moderation'))\n"
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONSULT_")}
    given = {"CONSULT_ENV": "test", "CONSULT_DATABASE_URL": f"sqlite:///{tmp_path}/alone.db"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT, env=kept | given, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
