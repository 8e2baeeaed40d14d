"""Word files as pieces: styles, numbers, tables, tracked changes, notes. Runs in the child process.

The accepted text is taken: insertions in, deletions out. What a reader of the page could miss or what the
author should decide (tracked changes, comments, text boxes, merged cells …) is warned about by paragraph number,
counted over the non-empty paragraphs from the beginning of the document.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from consult.domain.outline import assemble
from consult.domain.outline_model import (
    MAX_BLOCKS,
    MAX_TABLE_COLUMNS,
    MAX_TABLE_DEPTH,
    BlockKind,
    DraftRefused,
    DraftWarning,
    ImportedDraft,
    SourcePiece,
)
from consult.gateways.draft_import.numbering import Numbering
from consult.gateways.draft_import.package import WordPackage
from consult.gateways.draft_import.plain import with_loss_warning
from consult.gateways.draft_import.word_styles import Styles, local

_CONTAINERS = frozenset(
    {"hyperlink", "smartTag", "sdt", "sdtContent", "fldSimple", "customXml", "dir", "bdo", "ins", "moveTo"}
)
_SKIPPED = frozenset({"del", "moveFrom", "pPr", "rPr", "sdtPr", "sdtEndPr", "proofErr", "bookmarkStart"})
_TRACKED = frozenset({"ins", "del", "moveTo", "moveFrom"})


def read_docx(data: bytes) -> ImportedDraft:
    """A Word file (.docx).

    Raises:
        DraftRefused: see `WordPackage` and `consult.domain.outline.check_limits`.
    """
    package = WordPackage(data)
    main = package.main_part()
    root = package.xml(main)
    body = None if root is None else next((one for one in root if local(one) == "body"), None)
    if body is None:
        raise DraftRefused("not_a_docx")
    reader = _WordReader(package, main.rsplit("/", 1)[0], body.tag[1:].split("}", 1)[0])
    reader.walk(body)
    draft = assemble(reader.finished(), reader.warnings, set_aside=reader.set_aside)
    return with_loss_warning(unicodedata.normalize("NFC", "".join(_accepted_text(body))), draft)


def _accepted_text(element: Any) -> Iterator[str]:
    """Every character of the accepted text, by a second and simpler way than the reader's."""
    name = local(element)
    if name in ("del", "moveFrom", "instrText", "delText", "Fallback", "rt"):
        return
    if name == "r" and _hidden(element):
        return
    if name == "t" and element.text:
        yield element.text
    for child in element:
        yield from _accepted_text(child)


def _hidden(run: Any) -> bool:
    properties = next((one for one in run if local(one) == "rPr"), None)
    if properties is None:
        return False
    vanish = next((one for one in properties if local(one) == "vanish"), None)
    return vanish is not None and not any(value in ("0", "false", "off") for value in vanish.attrib.values())


@dataclass(slots=True)
class _Paragraph:
    """What was found in one paragraph while reading its runs."""

    text: list[str] = field(default_factory=list)
    boxes: list[Any] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    signs: dict[str, int] = field(default_factory=dict)

    def sign(self, code: str) -> None:
        """Remember something to warn about."""
        self.signs[code] = self.signs.get(code, 0) + 1


class _WordReader:
    """Walks the body; see `read_docx`."""

    def __init__(self, package: WordPackage, folder: str, namespace: str) -> None:
        self.ns = namespace
        self.styles = Styles(package.xml(f"{folder}/styles.xml"), namespace)
        self.numbering = Numbering(package.xml(f"{folder}/numbering.xml"), namespace)
        self.note_texts = {
            kind: self._note_bodies(package.xml(f"{folder}/{kind}s.xml")) for kind in ("footnote", "endnote")
        }
        self.pieces: list[SourcePiece] = []
        self.labels: dict[int, str] = {}
        self.warnings: list[DraftWarning] = []
        self.set_aside: list[str] = []
        self.number = 0
        self.tables = 0
        self.depth = 0
        self.contents = 0

    def _attribute(self, element: Any, name: str = "val") -> str:
        return str(element.get(f"{{{self.ns}}}{name}") or "")

    def _child(self, element: Any | None, *names: str) -> Any | None:
        for name in names:
            if element is None:
                return None
            element = next((one for one in element if local(one) == name), None)
        return element

    def _note_bodies(self, root: Any | None) -> dict[str, Any]:
        return {self._attribute(one, "id"): one for one in root} if root is not None else {}

    def finished(self) -> list[SourcePiece]:
        """The pieces; where the file has heading styles numbers are kept apart, else they join the text."""
        styled = any(piece.level for piece in self.pieces)
        numbered = [index for index, label in self.labels.items() if label]
        for index in numbered:
            piece = self.pieces[index]
            label = self.labels[index]
            if styled and piece.level:
                self.pieces[index] = replace(piece, label=label)
                continue
            kind: BlockKind = "list_item" if styled else piece.kind
            self.pieces[index] = replace(piece, text=label + piece.text, kind=kind)
        headings = [index for index in numbered if not styled or self.pieces[index].level]
        for index in headings:
            self._warn("auto_number", self.pieces[index].line, label=self.labels[index].strip())
        if len(numbered) > len(headings):
            first = next(index for index in numbered if index not in set(headings))
            count = len(numbered) - len(headings)
            self._warn("auto_number_lists", self.pieces[first].line, count=count)
        if not styled and self.pieces:
            self._warn("no_heading_styles", None)
        if self.contents:
            self._warn("table_of_contents", None, count=self.contents)
        return self.pieces

    def _warn(self, code: str, line: int | None, **params: str | int) -> None:
        self.warnings.append(DraftWarning(line, code, params))

    # -- blocks ---------------------------------------------------------------------------------

    def walk(self, parent: Any) -> None:
        """Read paragraphs, tables and containers in order."""
        for element in parent:
            name = local(element)
            if name == "p":
                self._paragraph(element)
            elif name == "tbl":
                self._table(element)
            elif name == "sdt":
                self._content_control(element)
            elif name in ("customXml", "smartTag", "ins", "moveTo", "sdtContent"):
                self.walk(element)
            elif name in ("del", "moveFrom"):
                self._warn("tracked_changes", self.number + 1, count=1)
            elif name == "altChunk":
                self._warn("embedded_document", self.number + 1)
            if len(self.pieces) > MAX_BLOCKS:
                raise DraftRefused("too_many_blocks", self.number, limit=MAX_BLOCKS)

    def _content_control(self, element: Any) -> None:
        gallery = self._child(element, "sdtPr", "docPartObj", "docPartGallery")
        content = self._child(element, "sdtContent")
        if content is None:
            return
        if gallery is not None and self._attribute(gallery) == "Table of Contents":
            for text in ("".join(_accepted_text(one)) for one in content):
                self._put_aside(text)
            return
        self.walk(content)

    def _put_aside(self, text: str) -> None:
        if text.strip():
            self.contents += 1
            self.set_aside.append(text.strip())

    def _paragraph(self, element: Any, kind: BlockKind | None = None) -> None:
        found = _Paragraph()
        self._runs(element, found)
        text = unicodedata.normalize("NFC", "".join(found.text)).strip()
        style = self.styles.of(element)
        label, bullet = self._label(element, style.style_id)
        if text:
            self.number += 1
        line = max(self.number, 1)
        if text and style.kind == "toc":
            self._put_aside(text)
        elif text:
            if label and style.level != 0:
                self.labels[len(self.pieces)] = label
            own: BlockKind = kind or ("list_item" if bullet else style.block_kind)
            level = style.level if kind is None else None
            self.pieces.append(SourcePiece(text, line, kind="paragraph" if level is not None else own, level=level))
        self._after_paragraph(found, line)

    def _after_paragraph(self, found: _Paragraph, line: int) -> None:
        """Warnings, images, notes and boxes of a paragraph follow it."""
        for code, count in found.signs.items():
            self._warn(code, line, count=count)
        for description in found.images:
            self._warn("image", line)
            self.pieces.append(SourcePiece(description, line, kind="image"))
        for kind, identifier in found.notes:
            self._warn(kind, line)
            body = self.note_texts[kind].get(identifier)
            for paragraph in body.iter(f"{{{self.ns}}}p") if body is not None else ():
                text = "".join(_accepted_text(paragraph)).strip()
                if text:
                    self.pieces.append(SourcePiece(unicodedata.normalize("NFC", text), line, kind="note"))
        for box in found.boxes:
            self._warn("text_box", line)
            self._box(box, line)

    def _box(self, box: Any, line: int) -> None:
        self.depth += 1
        if self.depth > MAX_TABLE_DEPTH:
            raise DraftRefused("nested_too_deep", line)
        for element in box:
            if local(element) == "p":
                self._paragraph(element, "note")
            elif local(element) == "tbl":
                self._table(element)
        self.depth -= 1

    def _label(self, element: Any, style_id: str) -> tuple[str, bool]:
        number, index = self.styles.numbering_of(element)
        if not number or number == "0":
            return "", False
        if index is None:
            index = self.numbering.level_of_style(number, style_id)
        label, bullet = self.numbering.label(number, index)
        if label and (label[-1].isalnum() or label[-1] in "章节条篇"):
            label += " "
        return label, bullet

    # -- runs -----------------------------------------------------------------------------------

    def _runs(self, element: Any, found: _Paragraph) -> None:
        for child in element:
            name = local(child)
            if name == "r":
                self._run(child, found)
                continue
            if name in _TRACKED:
                found.sign("tracked_changes")
            if name in _CONTAINERS:
                self._runs(child, found)
            elif name in ("oMath", "oMathPara"):
                found.sign("equation")
                found.text.extend(_accepted_text(child))
            elif name == "ruby":
                found.text.extend(_accepted_text(child))
            elif name in ("commentRangeStart", "commentReference"):
                found.sign("comment")

    def _run(self, run: Any, found: _Paragraph) -> None:
        if _hidden(run):
            found.sign("hidden_text")
            return
        for child in run:
            name = local(child)
            if name == "t":
                found.text.append(child.text or "")
            elif name in ("tab", "ptab"):
                found.text.append(" ")
            elif name in ("br", "cr"):
                found.text.append("\n" if self._attribute(child, "type") in ("", "textWrapping") else "")
            elif name == "noBreakHyphen":
                found.text.append("-")
            elif name == "sym":
                found.sign("symbol_lost")
            elif name in ("footnoteReference", "endnoteReference"):
                found.notes.append((name.removesuffix("Reference"), self._attribute(child, "id")))
            elif name == "commentReference":
                found.signs.setdefault("comment", 1)
            elif name in ("drawing", "pict", "object", "AlternateContent"):
                self._drawing(child, found)
            elif name == "ruby":
                found.text.extend(_accepted_text(child))

    def _drawing(self, element: Any, found: _Paragraph) -> None:
        """Boxes and pictures of a drawing; the fallback copy is passed over."""
        name = local(element)
        if name == "Fallback":
            return
        if name == "txbxContent":
            found.boxes.append(element)
            return
        if name in ("blip", "imagedata"):
            found.images.append("")
        if name == "OLEObject":
            found.sign("embedded_document")
        for child in element:
            self._drawing(child, found)

    # -- tables ---------------------------------------------------------------------------------

    def _table(self, table: Any) -> None:
        self.depth += 1
        if self.depth > MAX_TABLE_DEPTH:
            raise DraftRefused("nested_too_deep", self.number + 1)
        self.tables += 1
        number, first_line = self.tables, self.number + 1
        rows: list[tuple[int, tuple[str, ...]]] = []
        after: list[_Paragraph] = []
        merged = False
        for row in _rows(table):
            if self._child(row, "trPr", "del") is not None:
                self._warn("tracked_changes", self.number + 1, count=1)
                continue
            line = self.number + 1
            cells, has_merged = self._row(row, after)
            merged = merged or has_merged
            if any(cells):
                rows.append((line, tuple(cells)))
        if merged:
            self._warn("merged_cells", first_line, table=number)
        self._add_table(rows, number)
        for found in after:
            self._after_paragraph(found, max(first_line, 1))
        self.depth -= 1

    def _add_table(self, rows: list[tuple[int, tuple[str, ...]]], number: int) -> None:
        if rows and max(len(cells) for _, cells in rows) == 1:
            self._warn("boxed_text", rows[0][0])
            for line, cells in rows:
                for text in cells[0].split("\n"):
                    if text.strip():
                        self.pieces.append(SourcePiece(text.strip(), line, kind="note"))
            return
        header = rows[0][1] if len(rows) > 1 else ()
        for index, (line, cells) in enumerate(rows):
            head = index == 0 and len(rows) > 1
            self.pieces.append(
                SourcePiece(
                    "\t".join(cells),
                    line,
                    kind="table_head" if head else "table_row",
                    table=number,
                    cells=cells,
                    header=() if head else header,
                )
            )

    def _row(self, row: Any, after: list[_Paragraph]) -> tuple[list[str], bool]:
        cells: list[str] = []
        merged = False
        for cell in _cells(row):
            properties = self._child(cell, "tcPr")
            span = self._child(properties, "gridSpan")
            wide = _small(self._attribute(span)) if span is not None else 1
            vertical = self._child(properties, "vMerge")
            merged = merged or wide > 1 or vertical is not None
            cells.append(self._cell_text(cell, after))
            cells.extend([""] * (wide - 1))
        if len(cells) > MAX_TABLE_COLUMNS:
            raise DraftRefused("table_too_wide", self.number, limit=MAX_TABLE_COLUMNS)
        return cells, merged

    def _cell_text(self, cell: Any, after: list[_Paragraph]) -> str:
        """Text of a cell; a table inside it is flattened and warned about."""
        lines: list[str] = []
        for element in _flattened(cell):
            if local(element) == "tbl":
                lines.extend(self._nested(element, after))
                continue
            found = _Paragraph()
            self._runs(element, found)
            label, _ = self._label(element, "")
            text = unicodedata.normalize("NFC", "".join(found.text)).strip()
            if text:
                self.number += 1
                lines.append(label + text)
            if found.boxes or found.notes or found.images or found.signs:
                after.append(found)
        return "\n".join(lines)

    def _nested(self, table: Any, after: list[_Paragraph]) -> list[str]:
        self.depth += 1
        if self.depth > MAX_TABLE_DEPTH:
            raise DraftRefused("nested_too_deep", self.number + 1)
        self._warn("nested_table", self.number + 1)
        lines = ["　".join(self._row(row, after)[0]).strip() for row in _rows(table)]
        self.depth -= 1
        return [line for line in lines if line]


def _flattened(parent: Any) -> Iterator[Any]:
    for element in parent:
        name = local(element)
        if name in ("p", "tbl"):
            yield element
        elif name in ("sdt", "sdtContent", "customXml", "smartTag", "ins", "moveTo"):
            yield from _flattened(element)


def _rows(table: Any) -> Iterator[Any]:
    for element in table:
        name = local(element)
        if name == "tr":
            yield element
        elif name in ("sdt", "sdtContent", "customXml", "ins", "moveTo"):
            yield from _rows(element)


def _cells(row: Any) -> Iterator[Any]:
    for element in row:
        name = local(element)
        if name == "tc":
            yield element
        elif name in ("sdt", "sdtContent", "customXml"):
            yield from _cells(element)


def _small(text: str) -> int:
    return max(1, min(int(text), MAX_TABLE_COLUMNS)) if text.isascii() and text.isdigit() else 1
