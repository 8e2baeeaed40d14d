"""Text and Markdown files as pieces. Runs in the child process."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from consult.domain.outline import assemble
from consult.domain.outline_model import (
    BlockKind,
    DraftRefused,
    DraftWarning,
    ImportedDraft,
    SourcePiece,
    inline_html,
    lost_characters,
)

MAX_LINES = 50_000
"""More than a draft of 2,000 pages has; a parser may need long for lines that are all headings."""

_CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_LINE_ENDS = re.compile("\r\n|[\r\x0c\x85\u2028\u2029]")
_SAFE_LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)


def decode(data: bytes) -> tuple[str, list[DraftWarning]]:
    """Text of a file: UTF-8, UTF-16 with a mark, or GB 18030; line ends become LF, the rest NFC.

    Raises:
        DraftRefused: `encoding_unknown` with the line, `not_a_text_file` or `too_many_lines`.
    """
    warnings: list[DraftWarning] = []
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF")):
        raise DraftRefused("not_a_text_file")
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            text = data.decode("utf-16")
        else:
            text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError:
            raise DraftRefused("encoding_unknown", data.count(b"\n", 0, error.start) + 1) from error
        warnings.append(DraftWarning(None, "read_as_gb18030"))
    text = _LINE_ENDS.sub("\n", text)
    if text.count("\n") > MAX_LINES:
        raise DraftRefused("too_many_lines", MAX_LINES, limit=MAX_LINES)
    found = _CONTROLS.search(text)
    if found is not None:
        line = text.count("\n", 0, found.start()) + 1
        if text[found.start()] == "\x00":
            raise DraftRefused("not_a_text_file", line)
        text, count = _CONTROLS.subn("", text)
        warnings.append(DraftWarning(line, "control_characters", {"count": count}))
    return unicodedata.normalize("NFC", text), warnings


def read_text(data: bytes) -> ImportedDraft:
    """A text file; rows divided by tabs or upright bars become a table.

    Raises:
        DraftRefused: see `decode` and `consult.domain.outline.check_limits`.
    """
    text, warnings = decode(data)
    draft = assemble(_text_pieces(text), warnings)
    return with_loss_warning(text, draft)


def with_loss_warning(source: str, draft: ImportedDraft, *, ignore: str = "") -> ImportedDraft:
    """The draft, with a warning when a character of the source is in none of its texts."""
    lost = lost_characters(source, draft)
    for char in ignore:
        del lost[char]
    if not lost:
        return draft
    sample = "".join(char for char, _ in lost.most_common(20))
    warning = DraftWarning(None, "characters_lost", {"count": lost.total(), "sample": sample})
    return ImportedDraft(draft.title, draft.preamble, draft.sections, (*draft.warnings, warning), draft.set_aside)


def _text_pieces(text: str) -> list[SourcePiece]:
    pieces: list[SourcePiece] = []
    rows: list[tuple[int, tuple[str, ...]]] = []
    table = 0
    gap = True
    for number, line in enumerate([*text.split("\n"), ""], start=1):
        cells = _cells(line)
        if rows and (cells is None or len(cells) != len(rows[0][1])):
            table += len(rows) > 1
            pieces.extend(_text_table(rows, table))
            rows = []
        if cells is not None:
            rows.append((number, cells))
        elif line.strip():
            pieces.append(SourcePiece(line.strip(), number, gap=gap))
        gap = not line.strip()
    return pieces


def _cells(line: str) -> tuple[str, ...] | None:
    stripped = line.strip()
    for divider in ("\t", "|"):
        if stripped.count(divider) >= 2:
            inner = stripped.strip("|") if divider == "|" else stripped
            return tuple(cell.strip() for cell in inner.split(divider))
    return None


def _text_table(rows: Sequence[tuple[int, tuple[str, ...]]], table: int) -> list[SourcePiece]:
    if len(rows) == 1:
        number, cells = rows[0]
        return [SourcePiece("  ".join(cells), number)]
    return table_pieces(rows, table)


def table_pieces(rows: Sequence[tuple[int, tuple[str, ...]]], table: int) -> list[SourcePiece]:
    """Pieces of a table whose first row names the columns; rows are (line, cells)."""
    header = rows[0][1]
    return [
        SourcePiece(
            "\t".join(cells),
            number,
            kind="table_row" if index else "table_head",
            table=table,
            cells=cells,
            header=header if index else (),
        )
        for index, (number, cells) in enumerate(rows)
    ]


# -- Markdown --------------------------------------------------------------------------------------

_MARKUP_CHARACTERS = "#*|-_>`[]()!:\\+=<~&;/.\"'"


def read_markdown(data: bytes) -> ImportedDraft:
    """A Markdown file (CommonMark with tables); markup of HTML in it is shown, never obeyed.

    Raises:
        DraftRefused: see `decode` and `consult.domain.outline.check_limits`.
    """
    text, warnings = decode(data)
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    body, front = _front_matter(text)
    reader = _MarkdownReader(warnings, front)
    reader.read(parser.parse(body))
    pieces = reader.pieces
    if not any(piece.level for piece in pieces):
        pieces = _as_plain_lines(pieces)
    draft = assemble(pieces, reader.warnings, set_aside=reader.set_aside)
    return with_loss_warning(text, draft, ignore=_MARKUP_CHARACTERS + "0123456789" + _letters())


_FRONT_MATTER = re.compile(r"---[ ]*\n((?:(?!---).*\n){1,60}?)---[ ]*\n")
_COMMENT = re.compile(r"<!--(?:(?!-->).)*-->", re.DOTALL)


def _front_matter(text: str) -> tuple[str, list[str]]:
    """The text with a leading block of settings blanked out (line numbers stay), and that block."""
    found = _FRONT_MATTER.match(text)
    if found is None:
        return text, []
    return "\n" * found.group().count("\n") + text[found.end() :], [found.group(1).strip()]


def _letters() -> str:
    """Latin letters may stand in an address of a link, which is kept as a link and not as text."""
    return "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ?%@,$"


def _as_plain_lines(pieces: Sequence[SourcePiece]) -> list[SourcePiece]:
    """Without headings the file is a text: each line counts, and numbered items may be headings."""
    plain: list[SourcePiece] = []
    for piece in pieces:
        if piece.kind not in ("paragraph", "list_item"):
            plain.append(piece)
            continue
        for offset, line in enumerate(piece.text.split("\n")):
            if line.strip():
                plain.append(SourcePiece(line.strip(), piece.line + offset, gap=offset == 0))
    return plain


class _MarkdownReader:
    """Turns the flat list of tokens into pieces."""

    def __init__(self, warnings: list[DraftWarning], set_aside: list[str]) -> None:
        self.warnings = warnings
        self.set_aside = set_aside
        self.pieces: list[SourcePiece] = []
        self.line = 1
        self.level: int | None = None
        self.containers: list[str] = []
        self.markers: list[str] = []
        self.table = 0
        self.rows: list[tuple[int, tuple[str, ...]]] | None = None
        self.row: list[str] = []

    def read(self, tokens: Sequence[Token]) -> None:
        """Read all tokens of a document."""
        for token in tokens:
            if token.map is not None:
                self.line = token.map[0] + 1
            if token.type == "inline":
                self._inline(token)
            elif token.type in ("fence", "code_block"):
                self._add(token.content.rstrip("\n"), inline_html(token.content.rstrip("\n")))
            elif token.nesting == 1:
                self._open(token)
            elif token.nesting == -1:
                self._close(token)

    def _open(self, token: Token) -> None:
        name = token.type.removesuffix("_open")
        if name == "heading":
            self.level = int(token.tag[1])
        elif name in ("blockquote", "bullet_list", "ordered_list"):
            self.containers.append(name)
        elif name == "list_item":
            self.markers.append(f"{token.info}{token.markup} " if token.info else "")
        elif name == "table":
            self.table += 1
            self.rows = []
        elif name == "tr":
            self.row = []

    def _close(self, token: Token) -> None:
        name = token.type.removesuffix("_close")
        if name == "heading":
            self.level = None
        elif name in ("blockquote", "bullet_list", "ordered_list"):
            self.containers.pop()
        elif name == "list_item":
            self.markers.pop()
        elif name == "tr" and self.rows is not None:
            self.rows.append((self.line, tuple(self.row)))
        elif name == "table" and self.rows:
            self.pieces.extend(table_pieces(self.rows, self.table))
            self.rows = None

    def _inline(self, token: Token) -> None:
        text, markup = self._render(token.children or [])
        if self.rows is not None:
            self.row.append(text.replace("\n", " "))
        else:
            self._add(text, markup)

    def _add(self, text: str, markup: str) -> None:
        if _COMMENT.fullmatch(text.strip()):
            self.set_aside.append(text.strip())
            return
        kind: BlockKind = "paragraph"
        if self.containers:
            kind = "quote" if self.containers[-1] == "blockquote" else "list_item"
        if self.markers and self.markers[-1]:
            text = self.markers[-1] + text
            markup = self.markers[-1] + markup
            self.markers[-1] = ""
        if not text.strip():
            return
        level = self.level
        self.pieces.append(SourcePiece(text, self.line, kind=kind, html=markup, level=level))

    def _render(self, tokens: Sequence[Token]) -> tuple[str, str]:
        text: list[str] = []
        markup: list[str] = []
        for token in tokens:
            if token.type in ("text", "code_inline"):
                text.append(token.content)
                markup.append(html.escape(token.content, quote=False))
            elif token.type in ("softbreak", "hardbreak"):
                text.append("\n")
                markup.append("<br>")
            elif token.type == "image":
                self._image(token)
            elif token.type in ("strong_open", "strong_close", "em_open", "em_close"):
                slash = "/" if token.nesting == -1 else ""
                markup.append(f"<{slash}{token.tag}>")
            elif token.type == "link_open":
                markup.append(self._link(str(token.attrGet("href") or "")))
            elif token.type == "link_close":
                markup.append("</a>")
        return "".join(text), "".join(markup)

    def _link(self, address: str) -> str:
        if _SAFE_LINK.match(address):
            return f'<a href="{html.escape(address)}">'
        self.warnings.append(DraftWarning(self.line, "link_dropped"))
        return "<a>"

    def _image(self, token: Token) -> None:
        self.warnings.append(DraftWarning(self.line, "image"))
        self.pieces.append(SourcePiece(token.content, self.line, kind="image"))
