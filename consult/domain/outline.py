"""From the pieces of a document to a draft: sections with stable keys, blocks with keys, a tree.

This is the door to the outline code: readers hand `SourcePiece`s to `assemble`, services take `ImportedDraft`s,
`carry_keys` keeps addresses across versions (R-11), `default_outline` is the template of 附件5 (R-110).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from consult.domain.outline_headings import FoundHeading, find_headings
from consult.domain.outline_keys import carry_keys
from consult.domain.outline_markers import Marker, find_marker, read_title
from consult.domain.outline_model import (
    MAX_BLOCK_CHARACTERS,
    MAX_BLOCKS,
    MAX_CHARACTERS,
    MAX_KEY_LENGTH,
    MAX_SECTIONS,
    PREAMBLE_KEY,
    BlockKind,
    DraftRefused,
    DraftWarning,
    ImportedBlock,
    ImportedDraft,
    ImportedSection,
    SourcePiece,
    inline_html,
    limited_warnings,
    lost_characters,
    tidy_title,
    visible_length,
)

__all__ = [
    "PREAMBLE_KEY",
    "BlockKind",
    "DraftRefused",
    "DraftWarning",
    "ImportedBlock",
    "ImportedDraft",
    "ImportedSection",
    "SourcePiece",
    "assemble",
    "carry_keys",
    "check_limits",
    "default_outline",
    "find_sections",
    "inline_html",
    "lost_characters",
    "visible_length",
]


def check_limits(pieces: Sequence[SourcePiece]) -> None:
    """Refuse what no real draft contains.

    Raises:
        DraftRefused: `too_many_blocks`, `too_many_headings`, `paragraph_too_long` or `text_too_long`.
    """
    if len(pieces) > MAX_BLOCKS:
        raise DraftRefused("too_many_blocks", pieces[MAX_BLOCKS].line, limit=MAX_BLOCKS)
    total = headings = 0
    for piece in pieces:
        length = len(piece.text)
        if length > MAX_BLOCK_CHARACTERS:
            raise DraftRefused("paragraph_too_long", piece.line, length=length, limit=MAX_BLOCK_CHARACTERS)
        total += length
        headings += piece.level is not None
        if headings > MAX_SECTIONS:
            raise DraftRefused("too_many_headings", piece.line, limit=MAX_SECTIONS)
    if total > MAX_CHARACTERS:
        raise DraftRefused("text_too_long", None, length=total, limit=MAX_CHARACTERS)


@dataclass(slots=True)
class _Open:
    heading: str
    label: str
    title: str | None
    level: int
    run_in: bool
    line: int | None
    pieces: list[SourcePiece] = field(default_factory=list)


def assemble(
    pieces: Sequence[SourcePiece], warnings: Iterable[DraftWarning] = (), *, set_aside: Iterable[str] = ()
) -> ImportedDraft:
    """Build the draft from the pieces of one document, in order.

    Headings come from the source's own styles where it has any, else from `find_headings`.

    Args:
        pieces: what the reader found, in reading order.
        warnings: what the reader has to say already.
        set_aside: texts the reader left out on purpose.

    Raises:
        DraftRefused: over a limit of `check_limits`, or `empty_document` without a single word.
    """
    check_limits(pieces)
    if not any(piece.text.strip() for piece in pieces):
        raise DraftRefused("empty_document")
    collected = list(warnings)
    aside = list(set_aside)
    if any(piece.level is not None and piece.level > 0 for piece in pieces):
        title, before, opened = _from_styles(pieces, collected)
    else:
        title, before, opened = _from_text(pieces, collected, aside)
    if len(opened) > MAX_SECTIONS:
        raise DraftRefused("too_many_headings", opened[MAX_SECTIONS].line, limit=MAX_SECTIONS)
    if not opened:
        collected.append(DraftWarning(None, "no_headings"))
    return ImportedDraft(title, _blocks(before), _sections(opened), limited_warnings(collected), tuple(aside))


def _from_styles(
    pieces: Sequence[SourcePiece], warnings: list[DraftWarning]
) -> tuple[str, list[SourcePiece], list[_Open]]:
    """Levels given by the source; a single first heading above all others is the title."""
    title_index = _styled_title(pieces)
    title = tidy_title(pieces[title_index].text) if title_index is not None else ""
    before: list[SourcePiece] = []
    opened: list[_Open] = []
    depths: list[int] = []
    articles = _articles(pieces)
    for index, piece in enumerate(pieces):
        if index == title_index:
            continue
        if index in articles:
            while depths and depths[-1] >= _ARTICLE_LEVEL:
                depths.pop()
            depths.append(_ARTICLE_LEVEL)
            opened.append(_open_article(piece, articles[index], len(depths)))
            continue
        if not piece.level or not (piece.text.strip() or piece.label):
            target = opened[-1].pieces if opened else before
            target.append(replace(piece, level=None))
            continue
        while depths and depths[-1] >= piece.level:
            depths.pop()
        if piece.level > (depths[-1] if depths else 0) + 1 and depths:
            warnings.append(DraftWarning(piece.line, "level_skipped", {"level": piece.level}))
        depths.append(piece.level)
        heading, label, words = _styled_heading(piece)
        opened.append(_Open(heading, label, words, len(depths), run_in=False, line=piece.line))
    return title, before, opened


_ARTICLE_LEVEL = 99
_FEWEST_ARTICLES = 3


def _articles(pieces: Sequence[SourcePiece]) -> dict[int, Marker]:
    """Articles of a statute whose chapters alone have heading styles: paragraphs 第一条, 第二条, 第三条 …"""
    found: dict[int, Marker] = {}
    last = 0
    for index, piece in enumerate(pieces):
        if piece.kind != "paragraph" or piece.level is not None:
            continue
        marker = find_marker(piece.text.strip())
        if marker is None or marker.kind != "article":
            continue
        if marker.number == last + 1 or (marker.number == last and "之" in marker.label):
            found[index] = marker
            last = marker.number
    return found if len(found) >= _FEWEST_ARTICLES else {}


def _open_article(piece: SourcePiece, marker: Marker, level: int) -> _Open:
    text = piece.text.strip()
    title = read_title(text, marker, body_follows=True)
    body = text[title.end :].strip()
    one = _Open(tidy_spaces(text[: title.end]), marker.label, title.text, level, bool(body), piece.line)
    if body:
        one.pieces.append(replace(piece, text=body, html=""))
    return one


def _styled_title(pieces: Sequence[SourcePiece]) -> int | None:
    marked = [i for i, piece in enumerate(pieces) if piece.level == 0 and piece.text.strip()]
    if marked:
        return marked[0]
    headings = [(i, piece.level) for i, piece in enumerate(pieces) if piece.level]
    highest = min(level for _, level in headings)
    top = [i for i, level in headings if level == highest]
    alone = len(top) == 1 and top[0] == headings[0][0] and len(headings) > 1
    if alone and not pieces[top[0]].label and find_marker(pieces[top[0]].text.strip()) is None:
        return top[0]
    return None


def _styled_heading(piece: SourcePiece) -> tuple[str, str, str | None]:
    text = tidy_spaces(piece.text)
    if piece.label:
        return f"{piece.label}{text}", piece.label, tidy_title(text) or None
    marker = find_marker(text)
    if marker is None:
        return text, "", tidy_title(text) or None
    return text, marker.label, tidy_title(text[marker.start :].strip().strip("：:")) or None


def tidy_spaces(text: str) -> str:
    """One space for each run of white space, none at the ends."""
    return " ".join(text.split())


def _from_text(
    pieces: Sequence[SourcePiece], warnings: list[DraftWarning], aside: list[str]
) -> tuple[str, list[SourcePiece], list[_Open]]:
    found = find_headings(pieces)
    warnings.extend(found.warnings)
    aside.extend(pieces[index].text for index in sorted(found.set_aside))
    title = "".join(tidy_spaces(pieces[index].text) for index in found.title_at)
    headings = {one.at: one for one in found.headings}
    before: list[SourcePiece] = []
    opened: list[_Open] = []
    taken = set(found.title_at) | found.set_aside
    for index, piece in enumerate(pieces):
        heading = headings.get(index)
        if heading is not None:
            opened.append(_open_found(pieces, heading))
            taken.update(range(index, index + heading.used + 1))
            body = piece.text.strip()[heading.end :].strip()
            if body:
                opened[-1].pieces.append(replace(piece, text=body, html=""))
        if index in taken:
            continue
        kind: BlockKind = piece.kind
        if piece.kind == "paragraph":
            kind = "note" if index in found.notes else "list_item" if index in found.items else "paragraph"
        (opened[-1].pieces if opened else before).append(replace(piece, kind=kind))
    return title, before, opened


def _open_found(pieces: Sequence[SourcePiece], found: FoundHeading) -> _Open:
    text = pieces[found.at].text.strip()[: found.end]
    further = [pieces[index].text for index in range(found.at + 1, found.at + found.used + 1)]
    heading = tidy_spaces(" ".join([text, *further]))
    return _Open(heading, found.label, found.title, found.level, found.run_in, pieces[found.at].line)


def find_sections(text: str) -> list[tuple[str, str | None, int]]:
    """Label, title and level of each section of a plain text, by the recogniser alone."""
    draft = assemble(split_lines(text))
    return [(section.label, section.title, section.level) for section in draft.sections]


def split_lines(text: str) -> list[SourcePiece]:
    """The non-blank lines of a text as paragraphs with their 1-based line numbers."""
    pieces: list[SourcePiece] = []
    gap = True
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip()
        if stripped:
            pieces.append(SourcePiece(stripped, number, gap=gap))
        gap = not stripped
    return pieces


def _sections(opened: Sequence[_Open]) -> tuple[ImportedSection, ...]:
    sections: list[ImportedSection] = []
    trail: list[ImportedSection] = []
    counts: dict[str | None, int] = {}
    used = {PREAMBLE_KEY}
    for ordinal, one in enumerate(opened, start=1):
        del trail[one.level - 1 :]
        parent = trail[-1] if trail else None
        counts[parent.key if parent else None] = number = counts.get(parent.key if parent else None, 0) + 1
        key = f"{parent.key}-{number}" if parent else f"s{number}"
        if len(key) > MAX_KEY_LENGTH or key in used:
            key = f"s-n{ordinal}"
        used.add(key)
        name = one.heading.rstrip("。：:")
        section = ImportedSection(
            key=key,
            label=one.label,
            title=one.title,
            level=one.level,
            heading=one.heading,
            path=f"{parent.path} > {name}" if parent else name,
            parent=parent.key if parent else None,
            blocks=_blocks(one.pieces),
            run_in=one.run_in,
            line=one.line,
        )
        sections.append(section)
        trail.append(section)
    return tuple(sections)


def _blocks(pieces: Sequence[SourcePiece]) -> tuple[ImportedBlock, ...]:
    blocks: list[ImportedBlock] = []
    tables: dict[int, int] = {}
    rows: dict[int, int] = {}
    plain = 0
    for piece in pieces:
        if piece.table is not None:
            table_no = tables.setdefault(piece.table, len(tables) + 1)
            head = piece.kind == "table_head"
            row_no = 0 if head and table_no not in rows else rows.get(table_no, 0) + 1
            rows[table_no] = row_no
            key = f"t{table_no}h" if row_no == 0 else f"t{table_no}r{row_no}"
            blocks.append(
                ImportedBlock(
                    key,
                    piece.kind,
                    "\t".join(piece.cells),
                    cells=piece.cells,
                    table_no=table_no,
                    row_no=row_no,
                    header=piece.header,
                    line=piece.line,
                )
            )
            continue
        if not piece.text.strip() and piece.kind != "image":
            continue
        plain += 1
        text = piece.text.strip()
        markup = "" if piece.kind == "image" else piece.html or inline_html(text)
        blocks.append(ImportedBlock(f"p{plain}", piece.kind, text, markup, line=piece.line))
    return tuple(blocks)


_DEFAULT_OUTLINE = (
    (1, "一、", "进展情况", ""),
    (
        2,
        "（一）",
        "目标指标进展",
        "对规划中涉及的全部指标的分年度进展情况、规划期末的预计完成情况进行梳理评估。",
    ),
    (2, "（二）", "主要任务进展", "对规划《纲要》中涉及的主要任务执行情况进行梳理评估。"),
    (2, "（三）", "典型案例剖析", "剖析规划实施过程中具有标志性、影响力或示范性的典型案例。"),
    (2, "（四）", "重大项目进展", "梳理评估重大项目进展情况，以及实施推进中存在的主要问题和原因。"),
    (1, "二、", "趋势和问题分析", ""),
    (2, "（一）", "环境趋势分析", "分析面临的国际国内外部环境的新变化、新趋势。"),
    (2, "（二）", "问题原因分析", "梳理发展中存在的突出问题并分析原因。"),
    (1, "三、", "思路举措", ""),
    (2, "（一）", "发展思路", "提出到规划期末以及更长远发展的主要思路。"),
    (2, "（二）", "下一步工作举措", "提出推进规划落实、能够取得实效的工作举措。"),
    (
        1,
        "四、",
        "调整方案",
        "规划中涉及部分指标如需调整，充分说明调整理由和测算依据，提出调整的具体方案以及涉及的相关影响。",
    ),
)


def default_outline() -> ImportedDraft:
    """The section tree every new consultation starts from (R-110, 附件5), with a hint where to write what."""
    opened = [
        _Open(f"{label}{title}", label, title, level, run_in=False, line=None)
        for level, label, title, _ in _DEFAULT_OUTLINE
    ]
    for one, (_, _, _, hint) in zip(opened, _DEFAULT_OUTLINE, strict=True):
        if hint:
            one.pieces.append(SourcePiece(hint, 0, kind="note"))
    return ImportedDraft("", (), _sections(opened))
