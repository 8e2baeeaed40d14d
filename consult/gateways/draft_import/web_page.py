"""HTML pages as pieces. Runs in the child process; nothing is fetched, nothing is run."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from consult.domain.outline import assemble
from consult.domain.outline_model import (
    MAX_TABLE_COLUMNS,
    MAX_TABLE_DEPTH,
    BlockKind,
    DraftRefused,
    DraftWarning,
    ImportedDraft,
    SourcePiece,
)
from consult.gateways.draft_import.plain import decode, table_pieces, with_loss_warning

_BLOCKS = frozenset(
    {
        "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl",
        "dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "html", "legend",
        "li", "main", "nav", "ol", "p", "pre", "section", "summary", "ul",
    }
)  # fmt: skip
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_DROPPED = frozenset(
    {
        "script", "style", "template", "noscript", "iframe", "object", "embed", "svg", "math", "canvas",
        "audio", "video",
    }
)  # fmt: skip
_NOT_TEXT = frozenset(["head", "title", "meta", "link", "input", "button", "select", "textarea"])
_EMPHASIS = {"strong": "strong", "b": "strong", "em": "em", "i": "em"}
_KINDS: dict[str, BlockKind] = {"li": "list_item", "blockquote": "quote", "figcaption": "note"}
_SAFE_LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)


def read_html(data: bytes) -> ImportedDraft:
    """An HTML file.

    Raises:
        DraftRefused: `nested_too_deep`, `draft_unreadable`, and see `decode` and `check_limits`.
    """
    text, warnings = decode(data)
    parser = etree.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        root = etree.fromstring(text, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        if getattr(error, "code", None) == etree.ErrorTypes.ERR_NO_MEMORY:
            raise MemoryError from error
        raise DraftRefused("draft_unreadable") from error
    if any(one.type == etree.ErrorTypes.ERR_NO_MEMORY for one in parser.error_log):
        raise MemoryError
    deep = next((one for one in parser.error_log if "depth" in one.message.lower()), None)
    if deep is not None:
        raise DraftRefused("nested_too_deep", deep.line)
    if root is None:
        raise DraftRefused("empty_document")
    reader = _PageReader(warnings)
    reader.walk(root, "paragraph")
    reader.flush("paragraph")
    if reader.dropped:
        warnings.append(DraftWarning(None, "active_content_dropped", {"count": reader.dropped}))
    draft = assemble(reader.pieces, warnings)
    return with_loss_warning("".join(_words(root)), draft)


def _words(element: Any) -> Iterator[str]:
    """All text of the page that is neither code nor a form control, in order."""
    if not isinstance(element.tag, str) or element.tag in _DROPPED or element.tag in _NOT_TEXT:
        return
    if element.text:
        yield element.text
    for child in element:
        yield from _words(child)
        if child.tail:
            yield child.tail


class _PageReader:
    """Collects inline text until a block begins or ends."""

    def __init__(self, warnings: list[DraftWarning]) -> None:
        self.warnings = warnings
        self.pieces: list[SourcePiece] = []
        self.text: list[str] = []
        self.markup: list[str] = []
        self.line = 1
        self.level: int | None = None
        self.table = 0
        self.dropped = 0

    def walk(self, element: Any, kind: BlockKind) -> None:
        """Read an element and what is in it."""
        tag = element.tag
        if not isinstance(tag, str) or tag in _NOT_TEXT:
            return
        if tag in _DROPPED:
            self.dropped += 1
            return
        if tag == "table":
            self.flush(kind)
            self._table(element)
        elif tag == "img":
            self.flush(kind)
            line = element.sourceline or self.line
            self.warnings.append(DraftWarning(line, "image"))
            self.pieces.append(SourcePiece(str(element.get("alt") or ""), line, kind="image"))
        elif tag == "br":
            self.text.append("\n")
            self.markup.append("<br>")
        elif tag in _BLOCKS or tag in _HEADINGS:
            self._block(element, kind)
        else:
            self._inline(element, kind)

    def _block(self, element: Any, kind: BlockKind) -> None:
        self.flush(kind)
        inner = _KINDS.get(element.tag, kind)
        self.line = element.sourceline or self.line
        outer_level = self.level
        self.level = _HEADINGS.get(element.tag, outer_level)
        self._children(element, inner)
        self.flush(inner)
        self.level = outer_level

    def _inline(self, element: Any, kind: BlockKind) -> None:
        name = _EMPHASIS.get(element.tag, "")
        opening = f"<{name}>" if name else ""
        if element.tag == "a":
            address = str(element.get("href") or "")
            if _SAFE_LINK.match(address):
                name, opening = "a", f'<a href="{html.escape(address)}">'
        self.markup.append(opening)
        self._children(element, kind)
        self.markup.append(f"</{name}>" if name else "")

    def _children(self, element: Any, kind: BlockKind) -> None:
        self._characters(element.text)
        for child in element:
            self.walk(child, kind)
            self._characters(child.tail)

    def _characters(self, characters: str | None) -> None:
        if characters:
            collapsed = re.sub(r"[ \t\r\n]+", " ", characters)
            self.text.append(collapsed)
            self.markup.append(html.escape(collapsed, quote=False))

    def flush(self, kind: BlockKind) -> None:
        """End the current piece; markup left open or closed by a block boundary is dropped with it."""
        text = "".join(self.text)
        markup = "".join(self.markup)
        self.text, self.markup = [], []
        if not text.strip():
            return
        if not _balanced(markup):
            markup = ""
        for part in _lines_of(text, self.level):
            whole = part == text.strip()
            self.pieces.append(
                SourcePiece(part, self.line, kind=kind, html=markup.strip() if whole else "", level=self.level)
            )

    def _table(self, element: Any) -> None:
        self.table += 1
        line = element.sourceline or self.line
        if _table_depth(element) > MAX_TABLE_DEPTH:
            raise DraftRefused("nested_too_deep", line)
        if element.find(".//table") is not None:
            self.warnings.append(DraftWarning(line, "nested_table"))
        rows: list[tuple[int, tuple[str, ...]]] = []
        covered: dict[int, int] = {}
        merged = False
        for row in _own_rows(element):
            cells: list[str] = []
            for cell in [one for one in row if one.tag in ("td", "th")]:
                _skip_covered(cells, covered)
                wide, high = _span(cell, "colspan"), _span(cell, "rowspan")
                merged = merged or wide > 1 or high > 1
                for offset in range(wide):
                    if high > 1:
                        covered[len(cells)] = high
                    cells.append(" ".join("".join(_words(cell)).split()) if offset == 0 else "")
            _skip_covered(cells, covered)
            covered = {column: rest - 1 for column, rest in covered.items() if rest > 1}
            if cells:
                rows.append((row.sourceline or line, tuple(cells)))
        if merged:
            self.warnings.append(DraftWarning(line, "merged_cells", {"table": self.table}))
        caption = element.find("caption")
        if caption is not None:
            self.pieces.append(SourcePiece("".join(_words(caption)).strip(), line, kind="note"))
        if rows:
            self.pieces.extend(table_pieces(rows, self.table))


def _lines_of(text: str, level: int | None) -> list[str]:
    """Lines divided by <br> are paragraphs of their own, but not inside a heading."""
    if level is not None:
        return [text.strip().replace("\n", " ")]
    return [part.strip() for part in text.split("\n") if part.strip()]


def _balanced(markup: str) -> bool:
    return all(markup.count(f"<{name}") == markup.count(f"</{name}>") for name in ("strong", "em")) and (
        markup.count("<a ") == markup.count("</a>")
    )


def _table_depth(table: Any) -> int:
    deepest = 1
    for inner in table.iter("table"):
        deepest = max(deepest, 1 + sum(1 for one in inner.iterancestors("table")))
        if deepest > MAX_TABLE_DEPTH:
            break
    return deepest


def _own_rows(table: Any) -> Iterator[Any]:
    for child in table:
        if child.tag == "tr":
            yield child
        elif child.tag in ("thead", "tbody", "tfoot"):
            yield from (row for row in child if row.tag == "tr")


def _span(cell: Any, name: str) -> int:
    value = str(cell.get(name) or "1").strip()
    return max(1, min(int(value), MAX_TABLE_COLUMNS)) if value.isascii() and value.isdigit() else 1


def _skip_covered(cells: list[str], covered: dict[int, int]) -> None:
    """Columns covered by a cell merged from above stay empty."""
    while covered.get(len(cells)):
        cells.append("")
