"""What an imported draft consists of: a title, sections in order, blocks with keys, warnings.

All values are immutable and hold plain text; nothing here knows a file format. Line numbers are 1-based: lines
of a text file, non-empty paragraphs of a Word file.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from consult.domain.errors import DomainError

BlockKind = Literal["paragraph", "list_item", "quote", "note", "table_head", "table_row", "image"]

PREAMBLE_KEY = "s0"
"""The key under which a store keeps the blocks before the first section; no section ever gets it."""

MAX_KEY_LENGTH = 40
MAX_SECTIONS = 2_000
MAX_BLOCKS = 20_000
MAX_BLOCK_CHARACTERS = 20_000
MAX_CHARACTERS = 2_000_000
MAX_TABLE_COLUMNS = 60
MAX_TABLE_DEPTH = 3
MAX_WARNINGS = 200


class DraftRefused(DomainError):  # noqa: N818 - a refusal, not a fault
    """The document cannot be imported; nothing of it was kept.

    Attributes:
        code: stable reason, one of `consult.domain.outline_texts.REFUSAL_TEXTS`.
        line: line or paragraph the reason is about, None for the whole file.
        params: numbers and names the sentence mentions.
    """

    code = "draft_unreadable"

    def __init__(self, code: str, line: int | None = None, **params: object) -> None:
        self.line = line
        super().__init__(code, line=line, **params)


@dataclass(frozen=True, slots=True)
class DraftWarning:
    """Something a person should look at before confirming the import; `line` is None for the whole file."""

    line: int | None
    code: str
    params: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImportedBlock:
    """One commentable piece of a section.

    Attributes:
        key: `p1`, `t1h` or `t1r3`; unique within its section and kept across versions.
        text: the words as they stand in the source, ends trimmed, nothing repaired (R-12, R-114);
            the cells of a table row joined by tab characters.
        html: the same words as escaped inline markup (`strong`, `em`, `br`, `a`) for a paragraph, list item,
            quotation or note; empty for tables, which are shown from `cells`, and for images.
        cells, header: cells of a table row and the column names above it; a cell covered by a merged one is "".
        table_no, row_no: 1-based within the section; None outside tables. The head has row number 0.
    """

    key: str
    kind: BlockKind
    text: str
    html: str = ""
    cells: tuple[str, ...] = ()
    table_no: int | None = None
    row_no: int | None = None
    header: tuple[str, ...] = ()
    line: int | None = None


@dataclass(frozen=True, slots=True)
class ImportedSection:
    """One heading and what stands below it up to the next heading.

    Attributes:
        key: ASCII, URL safe, at most 40 characters, unique in the draft (`s1-2-3`).
        label: the number as written (`（一）`, `第三条`, `1.`), "" without one.
        title: the words of the heading, None where the source has none (an article, a numbered sentence).
        level: 1-based depth in this draft's tree.
        heading: the heading verbatim; with a run-in title its punctuation too, the rest is the first block.
        path: headings from the top joined by " > ".
        parent: key of the enclosing section or None.
        run_in: heading and first block stood in one line of the source.
    """

    key: str
    label: str
    title: str | None
    level: int
    heading: str
    path: str
    parent: str | None
    blocks: tuple[ImportedBlock, ...] = ()
    run_in: bool = False
    line: int | None = None


@dataclass(frozen=True, slots=True)
class ImportedDraft:
    """A whole draft as read from a file, ready for preview; nothing is stored yet.

    Attributes:
        title: of the document, "" when none was found.
        preamble: blocks before the first section (cover notice, introduction).
        sections: in reading order; the tree is given by `parent`.
        set_aside: lines left out on purpose (table of contents, registration header), so that a check can
            show that no other character is missing.
    """

    title: str
    preamble: tuple[ImportedBlock, ...] = ()
    sections: tuple[ImportedSection, ...] = ()
    warnings: tuple[DraftWarning, ...] = ()
    set_aside: tuple[str, ...] = ()

    def section(self, key: str) -> ImportedSection | None:
        """The section with that key, or None."""
        return next((one for one in self.sections if one.key == key), None)

    def texts(self) -> Iterator[str]:
        """Title, headings and block texts in reading order, then what was set aside."""
        yield self.title
        for block in self.preamble:
            yield block.text
        for section in self.sections:
            yield section.heading
            for block in section.blocks:
                yield block.text
        yield from self.set_aside


@dataclass(frozen=True, slots=True)
class SourcePiece:
    """What a reader of one file format hands over: a paragraph, a table row or an image, in order.

    Attributes:
        level: heading level the source itself gives (1 is the highest), 0 for a document title, None otherwise.
        label: number computed from automatic numbering; it is not part of `text`.
        gap: a blank line stood before it (text files only).
        table: 1-based number of the table in the document, None outside tables.
    """

    text: str
    line: int
    kind: BlockKind = "paragraph"
    html: str = ""
    level: int | None = None
    label: str = ""
    gap: bool = True
    table: int | None = None
    cells: tuple[str, ...] = ()
    header: tuple[str, ...] = ()


def visible_length(text: str) -> int:
    """Number of characters that are not white space (the full-width space is white space)."""
    return sum(len(part) for part in text.split())


def lost_characters(source: str, draft: ImportedDraft) -> Counter[str]:
    """Visible characters of `source` that the draft holds fewer times; empty when nothing was lost."""
    have: Counter[str] = Counter()
    for text in draft.texts():
        have.update("".join(text.split()))
    wanted = Counter("".join(source.split()))
    wanted.subtract(have)
    return +wanted


def inline_html(text: str) -> str:
    """Plain text as inline markup: escaped, line breaks as `br`."""
    return html.escape(text, quote=False).replace("\n", "<br>")


def tidy_title(text: str) -> str:
    """A title without the spaces that spread two characters apart (总　则 becomes 总则)."""
    stripped = " ".join(text.split())
    parts = stripped.split(" ")
    if len(parts) > 1 and all(len(part) == 1 for part in parts):
        return "".join(parts)
    return stripped


def limited_warnings(found: Iterable[DraftWarning]) -> tuple[DraftWarning, ...]:
    """Warnings by line, at most `MAX_WARNINGS`; what is cut is counted in a last warning."""
    ordered = sorted(found, key=lambda one: (one.line is None, one.line or 0))
    if len(ordered) <= MAX_WARNINGS:
        return tuple(ordered)
    cut = len(ordered) - MAX_WARNINGS
    return (*ordered[:MAX_WARNINGS], DraftWarning(None, "more_warnings", {"count": cut}))
