"""A draft as JSON between the child process and its parent; the parent believes nothing it has not checked."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, cast, get_args

from consult.domain.outline_model import (
    BlockKind,
    DraftRefused,
    DraftWarning,
    ImportedBlock,
    ImportedDraft,
    ImportedSection,
)

_KINDS = frozenset(get_args(BlockKind))


def draft_to_json(draft: ImportedDraft) -> bytes:
    """The draft as UTF-8 JSON."""
    return json.dumps({"draft": asdict(draft)}, ensure_ascii=False, separators=(",", ":")).encode()


def refusal_to_json(refusal: DraftRefused) -> bytes:
    """A refusal as UTF-8 JSON; parameters become strings or numbers."""
    params = {
        key: value if isinstance(value, int | float) else str(value)
        for key, value in refusal.params.items()
        if key != "line"
    }
    answer = {"refused": refusal.code, "line": refusal.line, "params": params}
    return json.dumps(answer, ensure_ascii=False).encode()


def draft_from_json(answer: bytes) -> ImportedDraft:
    """The draft of an answer.

    Raises:
        DraftRefused: the answer is a refusal, or is not what the child may answer (`draft_unreadable`).
    """
    try:
        data = json.loads(answer)
        if "refused" in data:
            raise DraftRefused(str(data["refused"]), data["line"], **data["params"])
        return _draft(data["draft"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DraftRefused("draft_unreadable") from error


def _draft(data: dict[str, Any]) -> ImportedDraft:
    return ImportedDraft(
        title=_text(data["title"]),
        preamble=tuple(_block(one) for one in data["preamble"]),
        sections=tuple(_section(one) for one in data["sections"]),
        warnings=tuple(
            DraftWarning(_number(one["line"]), _text(one["code"]), dict(one["params"])) for one in data["warnings"]
        ),
        set_aside=tuple(_text(one) for one in data["set_aside"]),
    )


def _section(data: dict[str, Any]) -> ImportedSection:
    return ImportedSection(
        key=_text(data["key"]),
        label=_text(data["label"]),
        title=None if data["title"] is None else _text(data["title"]),
        level=int(data["level"]),
        heading=_text(data["heading"]),
        path=_text(data["path"]),
        parent=None if data["parent"] is None else _text(data["parent"]),
        blocks=tuple(_block(one) for one in data["blocks"]),
        run_in=bool(data["run_in"]),
        line=_number(data["line"]),
    )


def _block(data: dict[str, Any]) -> ImportedBlock:
    kind = _text(data["kind"])
    if kind not in _KINDS:
        raise ValueError(kind)
    return ImportedBlock(
        key=_text(data["key"]),
        kind=cast("BlockKind", kind),
        text=_text(data["text"]),
        html=_text(data["html"]),
        cells=tuple(_text(one) for one in data["cells"]),
        table_no=_number(data["table_no"]),
        row_no=_number(data["row_no"]),
        header=tuple(_text(one) for one in data["header"]),
        line=_number(data["line"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(type(value).__name__)
    return value


def _number(value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise TypeError(type(value).__name__)
