"""Write docs/errors.md from the code: every code a refusal can carry, its HTTP status and its Chinese wording.

    python scripts/document_errors.py          writes docs/errors.md
    python scripts/document_errors.py --check  only says whether it is up to date

Codes are found by reading the sources: the `code` of every refusal class, and the first argument wherever one
is raised. tests/architecture/test_documentation.py fails when the page is old or a code has no wording.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import consult  # noqa: E402
import moderation  # noqa: E402
from consult import cli, error_pages, i18n  # noqa: E402
from consult.domain.errors import DomainError, PeriodClosed  # noqa: E402
from consult.domain.outline_texts import REFUSAL_TEXTS  # noqa: E402

PAGE = ROOT / "docs" / "errors.md"
HEAD = """# Error codes

A rule that refuses raises a `DomainError` with a code. Codes are stable: pages, the command line and tests rely on
them; the words may change. Where it belongs to a field, a refusal comes back inside a form that answers 422, whatever
is written here. `%(name)s` is filled from the refusal's parameters, which never hold personal data.

This page is written by `python scripts/document_errors.py`; a test compares it with the code.

| code | status | wording |
|---|---|---|
"""


def classes() -> dict[str, type[DomainError]]:
    """Name → class of every refusal of both packages, once all modules are imported."""
    for package in (consult, moderation):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    found: dict[str, type[DomainError]] = {}
    waiting: list[type[DomainError]] = [DomainError]
    while waiting:
        kind = waiting.pop()
        found[kind.__name__] = kind
        waiting.extend(kind.__subclasses__())
    return found


def codes() -> dict[str, type[DomainError]]:
    """Code → the class that carries it first."""
    kinds = classes()
    found = {"period_not_started": PeriodClosed}
    for name in sorted(kinds):
        found.setdefault(kinds[name].code, kinds[name])
    for package in ("consult", "moderation"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for name, code in _raised(ast.parse(path.read_text(encoding="utf-8")), kinds):
                found.setdefault(code, kinds[name])
    return found


def _raised(tree: ast.Module, kinds: Mapping[str, type[DomainError]]) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        first = node.args[0]
        if name not in kinds or not isinstance(first, ast.Constant) or not isinstance(first.value, str):
            continue
        # IllegalTransition and PeriodClosed take a state first, not a code.
        if kinds[name].__init__ is DomainError.__init__ or name in {"DraftRefused", "CopyRefused"}:
            yield name, first.value


def _of_single_pages() -> Iterator[tuple[str, str]]:
    """Code and sentence of the tables in presenters: refusals that one page alone can meet."""
    for package in ("consult/public", "moderation"):
        for path in sorted((ROOT / package / "presenters").glob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Dict):
                    continue
                for key, value in zip(node.keys, node.values, strict=True):
                    said = value.args[0] if isinstance(value, ast.Call) and value.args else None
                    if isinstance(key, ast.Constant) and isinstance(said, ast.Constant):
                        yield str(key.value), str(said.value)


def wording() -> dict[str, str]:
    """Code → Chinese sentence, from the places that own wording; what `consult.i18n` says goes first."""
    return {
        **dict(_of_single_pages()),
        **cli._COPY_SENTENCES,
        **REFUSAL_TEXTS,
        **{code: str(getattr(text, "_args", (text,))[0]) for code, text in i18n.MESSAGES.items()},
    }


def without_wording() -> list[str]:
    """Codes that would be said as a bare code."""
    return sorted(set(codes()) - set(wording()))


def page() -> str:
    """The whole of docs/errors.md."""
    said, found = wording(), codes()
    lines = []
    for code in sorted(set(found) | set(i18n.MESSAGES)):
        kind = found.get(code)
        status = error_pages.status_of(_bare(kind, code)) if kind else 429 if code == "too_many" else 422
        lines.append(f"| `{code}` | {status} | {said.get(code, '').replace('|', '／')} |")
    return HEAD + "\n".join(lines) + "\n"


def _bare(kind: type[DomainError], code: str) -> DomainError:
    """An instance that has only its class and its code: the status depends on nothing else."""
    made = kind.__new__(kind)
    DomainError.__init__(made, code)
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        same = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page()
        print("docs/errors.md is up to date" if same else "docs/errors.md is old: python scripts/document_errors.py")
        return 0 if same else 1
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
