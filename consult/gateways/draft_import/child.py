"""The child's side: limit itself first, read, answer in JSON. Started by `reading`, never imported by it.

Only what a format needs is imported, and only after the limits stand.
"""

from __future__ import annotations

import resource
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from consult.domain.outline_model import ImportedDraft

MEMORY_STATUS = 71


def limit_self(cpu_seconds: int, memory_bytes: int, output_bytes: int) -> None:
    """Processor time, address space and size of the answer; hard limits, so that nothing can raise them again."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (output_bytes, output_bytes))


def main(arguments: list[str]) -> NoReturn:
    """Entry point: `kind cpu_seconds memory_bytes output_bytes`; document on stdin, answer on stdout."""
    kind, cpu, memory, output = arguments
    limit_self(int(cpu), int(memory), int(output))
    try:
        answer = _answer(kind)
    except MemoryError:
        sys.exit(MEMORY_STATUS)
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()
    sys.exit(0)


def _answer(kind: str) -> bytes:
    from consult.domain.outline_model import DraftRefused
    from consult.gateways.draft_import.transfer import draft_to_json, refusal_to_json

    data = sys.stdin.buffer.read()
    try:
        return draft_to_json(_read(kind, data))
    except DraftRefused as refusal:
        return refusal_to_json(refusal)
    except RecursionError:
        return refusal_to_json(DraftRefused("nested_too_deep"))


def _read(kind: str, data: bytes) -> ImportedDraft:
    if kind == "docx":
        from consult.gateways.draft_import.word import read_docx

        return read_docx(data)
    from consult.gateways.draft_import.plain import read_markdown, read_text

    if kind == "md":
        return read_markdown(data)
    if kind == "html":
        from consult.gateways.draft_import.web_page import read_html

        return read_html(data)
    return read_text(data)
