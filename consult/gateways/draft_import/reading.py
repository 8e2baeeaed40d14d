"""The parent's side: refuse by name and size, run the child, turn its end into a draft or a refusal."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

import consult
from consult.domain.outline_model import DraftRefused, ImportedDraft
from consult.gateways.draft_import.transfer import draft_from_json

MAX_FILE_BYTES = 10 * 1024 * 1024
CPU_SECONDS = 2
MEMORY_BYTES = 200 * 1024 * 1024
OUTPUT_BYTES = 64 * 1024 * 1024
WALL_SECONDS = 20.0

FORMATS = {".docx": "docx", ".md": "md", ".markdown": "md", ".html": "html", ".htm": "html", ".txt": "txt"}
_SAVE_AS_DOCX = frozenset({".doc", ".wps", ".wpt", ".dot", ".rtf", ".odt", ".docm", ".dotx", ".dotm"})

_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from consult.gateways.draft_import.child import main; main(sys.argv[2:])"
)


def read_draft(source: Path | bytes, filename: str) -> ImportedDraft:
    """Read a draft.

    Args:
        source: the file or its bytes.
        filename: its name; only the ending matters, it is never used as a path.

    Raises:
        DraftRefused: with a code of `consult.domain.outline_texts.REFUSAL_TEXTS`; nothing was kept.
    """
    kind = _format(filename)
    data = source if isinstance(source, bytes) else _file_bytes(source)
    if len(data) > MAX_FILE_BYTES:
        raise DraftRefused("file_too_large", size=len(data), limit=MAX_FILE_BYTES)
    if not data.strip():
        raise DraftRefused("empty_document")
    return draft_from_json(_run_child(data, kind))


def _format(filename: str) -> str:
    ending = PurePosixPath(filename.lower()).suffix
    if ending in _SAVE_AS_DOCX:
        raise DraftRefused("save_as_docx", ending=ending)
    if ending == ".pdf":
        raise DraftRefused("pdf_not_supported")
    if ending not in FORMATS:
        raise DraftRefused("unknown_format", ending=ending or "?")
    return FORMATS[ending]


def _file_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise DraftRefused("file_unreadable", reason=error.strerror or "") from error


def _run_child(data: bytes, kind: str) -> bytes:
    root = str(Path(consult.__file__).resolve().parent.parent)
    limits = [str(CPU_SECONDS), str(MEMORY_BYTES), str(OUTPUT_BYTES)]
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as answer:
        given.write(data)
        given.seek(0)
        try:
            done = subprocess.run(  # noqa: S603 - our own interpreter and module, no word of the visitor's
                [sys.executable, "-I", "-X", "utf8", "-c", _START, root, kind, *limits],
                stdin=given,
                stdout=answer,
                stderr=subprocess.DEVNULL,
                env={},
                timeout=WALL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise DraftRefused("time_limit", seconds=int(WALL_SECONDS)) from error
        return _answer(done.returncode, answer)


def _answer(status: int, answer: IO[bytes]) -> bytes:
    """What the child wrote, or the limit that ended it."""
    if status == 0:
        answer.seek(0)
        return answer.read(OUTPUT_BYTES + 1)
    if status in (-signal.SIGXCPU, -signal.SIGKILL):
        raise DraftRefused("cpu_limit", seconds=CPU_SECONDS)
    if status == -signal.SIGXFSZ:
        raise DraftRefused("text_too_long", limit=OUTPUT_BYTES)
    if status == MEMORY_STATUS:
        raise DraftRefused("memory_limit", megabytes=MEMORY_BYTES // (1024 * 1024))
    raise DraftRefused("draft_unreadable")


MEMORY_STATUS = 71
"""Exit status of a child that ran out of its address space."""


def label_sections(folder: Path) -> Iterator[dict[str, object]]:
    """`consult label sections`: one dict per document of the folder, in order of the file names.

    Each is `{"file": path.name, "sections": [{"label", "title", "level"}]}`; a refused document has no sections and
    `"refused"` with the code. Files of other kinds are passed over.

    Raises:
        DraftRefused: `file_unreadable` when the folder cannot be read.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in FORMATS)
    except OSError as error:
        raise DraftRefused("file_unreadable", reason=error.strerror or "") from error
    for path in paths:
        try:
            draft = read_draft(path, path.name)
        except DraftRefused as refusal:
            yield {"file": path.name, "sections": [], "refused": refusal.code}
            continue
        yield {
            "file": path.name,
            "sections": [
                {"label": one.label or None, "title": one.title, "level": one.level} for one in draft.sections
            ],
        }
