"""The draft and its sections as pages print them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup, escape

from consult.i18n import _, zh
from consult.public.presenters import wording
from consult.public.presenters.wording import ConsultationView, Moment, Tag, Version
from consult.queries.drafts import BlockRow, FullDraft, FullSection, VersionRow
from consult.queries.published import PlaceCounts, PublishedComment
from consult.queries.reading import ConsultationHead, Fix


@dataclass(frozen=True)
class CommentBrief:
    """A public comment beside the text it is about."""

    ref: str
    commenter: str
    text: str
    submitted: Moment
    state: Tag
    unit: str
    reply: str


@dataclass(frozen=True)
class TableRow:
    """A commentable table row."""

    key: str
    cells: tuple[str, ...]
    count: int


@dataclass(frozen=True)
class DraftTable:
    """A table of the draft."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[TableRow, ...]
    label_column: int
    numeric: tuple[int, ...]


@dataclass(frozen=True)
class Block:
    """A piece of the draft."""

    key: str
    kind: str
    number: int = 0
    html: str = ""
    items: tuple[Markup, ...] = ()
    ordered: bool = False
    table: DraftTable | None = None
    count: int = 0
    comments: tuple[CommentBrief, ...] = ()
    fixes: tuple[Fix, ...] = ()


@dataclass(frozen=True)
class TocEntry:
    """A line of the contents."""

    key: str
    heading: str
    level: int
    count: int
    current: bool
    near: bool


@dataclass(frozen=True)
class SectionView:
    """A section for printing."""

    key: str
    heading: str
    level: int
    blocks: tuple[Block, ...]
    count: int


@dataclass(frozen=True)
class Link:
    """A neighbouring section."""

    key: str
    heading: str
    count: int = 0


@dataclass(frozen=True)
class ItemLink:
    """A plan item the section is about."""

    key: str
    title: str
    unit: str


@dataclass(frozen=True)
class Compare:
    """Two versions to compare."""

    a: int
    b: int


@dataclass(frozen=True)
class DraftPage:
    """What draft.html is given."""

    consultation: ConsultationView
    version: Version
    versions: tuple[Version, ...]
    compare: Compare | None
    byline: str
    intro: tuple[Block, ...]
    toc: tuple[TocEntry, ...]
    sections: tuple[SectionView, ...]


@dataclass(frozen=True)
class SectionPage:
    """What section.html is given."""

    consultation: ConsultationView
    version: Version
    compare: Compare | None
    toc: tuple[TocEntry, ...]
    section: SectionView
    path: tuple[str, ...]
    children: tuple[Link, ...]
    lead_unit: str
    items: tuple[ItemLink, ...]
    previous: Link | None
    next: Link | None
    comments: tuple[CommentBrief, ...]
    public_total: int
    shown_total: int


def brief(comment: PublishedComment) -> CommentBrief:
    """Return a public comment in short."""
    return CommentBrief(
        ref=comment.receipt_no,
        commenter=comment.commenter,
        text=comment.body,
        submitted=wording.day_moment(comment.submitted_at),
        state=wording.outcome_tag(comment.outcome),
        unit=comment.reply_unit,
        reply=comment.reply_body,
    )


def versions_of(rows: Sequence[VersionRow]) -> tuple[Version, ...]:
    """Return published versions, newest first; the first is current."""
    newest_first = sorted(rows, key=lambda row: -row.number)
    return tuple(wording.version(row, current=row is newest_first[0]) for row in newest_first)


def blocks(
    rows: Sequence[BlockRow],
    counts: Mapping[str, int],
    comments: Mapping[str, Sequence[PublishedComment]],
) -> tuple[Block, ...]:
    """Return the blocks of one section; the rows of a table are gathered into one block."""
    found: list[Block] = []
    gathered: list[BlockRow] = []
    number = 0
    for row in rows:
        if row.table_no is not None:
            if gathered and gathered[0].table_no != row.table_no:
                found.append(_table(gathered, counts, comments))
                gathered = []
            gathered.append(row)
            continue
        if gathered:
            found.append(_table(gathered, counts, comments))
            gathered = []
        number += 1
        found.append(_paragraph(row, number, counts, comments))
    if gathered:
        found.append(_table(gathered, counts, comments))
    return tuple(found)


def _paragraph(
    row: BlockRow, number: int, counts: Mapping[str, int], comments: Mapping[str, Sequence[PublishedComment]]
) -> Block:
    # The markup went through the sanitising gateway when it was stored.
    html = Markup(row.html) if row.html else escape(row.text)  # noqa: S704
    return Block(
        key=row.key,
        kind="paragraph",
        number=number,
        html=html,
        count=counts.get(row.key, 0),
        comments=tuple(brief(one) for one in comments.get(row.key, ())),
    )


def _table(
    rows: Sequence[BlockRow], counts: Mapping[str, int], comments: Mapping[str, Sequence[PublishedComment]]
) -> Block:
    head = next((row for row in rows if row.kind == "table_head"), None)
    body = [row for row in rows if row is not head]
    width = max(len(row.cells) for row in rows)
    header = tuple(head.cells) if head else ("",) * width
    numeric = tuple(
        place for place in range(width) if body and all(_is_number(row.cells[place : place + 1]) for row in body)
    )
    label = next((place for place in range(width) if place not in numeric), 0)
    # All comments of the rows are opened at one place below the table.
    said = [one for row in rows for one in comments.get(row.key, ())]
    return Block(
        key=rows[0].key,
        kind="table",
        count=len(said),
        comments=tuple(brief(one) for one in said),
        table=DraftTable(
            caption="",
            header=header + ("",) * (width - len(header)),
            rows=tuple(TableRow(row.key, row.cells, counts.get(row.key, 0)) for row in body),
            label_column=label,
            numeric=numeric,
        ),
    )


def _is_number(cells: Sequence[str]) -> bool:
    text = "".join(cells).strip()
    return text in {"", "—", "-"} or text.replace(".", "", 1).replace("%", "").lstrip("-").isdecimal()


def toc(sections: Sequence[FullSection], counts: Mapping[int, int], current: str = "") -> tuple[TocEntry, ...]:
    """Return the contents; a chapter's count includes what lies below it."""
    sums: dict[str, int] = {}
    parents = {one.section.key: one.section.parent_key for one in sections}
    for one in sections:
        n = counts.get(one.section.section_id, 0)
        key: str | None = one.section.key
        while key is not None and n:
            sums[key] = sums.get(key, 0) + n
            key = parents.get(key)
    chapter = _top(current, parents)
    return tuple(
        TocEntry(
            key=one.section.key,
            heading=one.section.heading,
            level=one.section.level,
            count=sums.get(one.section.key, 0),
            current=one.section.key == current,
            near=one.section.level == 1 or _top(one.section.key, parents) == chapter,
        )
        for one in sections
    )


def _top(key: str, parents: Mapping[str, str | None]) -> str:
    while (above := parents.get(key)) is not None:
        key = above
    return key


def draft_page(
    head: ConsultationHead,
    rows: Sequence[VersionRow],
    draft: FullDraft,
    counts: PlaceCounts,
    now: datetime,
) -> DraftPage:
    """Return the contents and the whole text."""
    versions = versions_of(rows)
    mine = next(one for one in versions if one.number == draft.version.number)
    sections = tuple(
        SectionView(
            one.section.key,
            one.section.heading,
            one.section.level,
            blocks(one.blocks, _block_counts(counts, one.section.section_id), {}),
            counts.sections.get(one.section.section_id, 0),
        )
        for one in draft.sections
    )
    return DraftPage(
        consultation=wording.consultation(head, now),
        version=mine,
        versions=versions,
        compare=_compare(versions, mine),
        byline=_("（征求意见稿 · %(version)s）　%(unit)s", version=mine.label, unit=zh(head.owner_unit_name)),
        intro=tuple(
            Block(block.key, "note" if block.kind in {"quote", "note"} else "paragraph", 0, _html(block))
            for block in draft.intro
        ),
        toc=toc(draft.sections, counts.sections),
        sections=sections,
    )


def _html(block: BlockRow) -> Markup:
    return Markup(block.html) if block.html else escape(block.text)  # noqa: S704 - cleaned when stored


def _compare(versions: Sequence[Version], mine: Version) -> Compare | None:
    older = [one.number for one in versions if one.number < mine.number]
    return Compare(max(older), mine.number) if older else None


def _block_counts(counts: PlaceCounts, section_id: int) -> dict[str, int]:
    return {key: n for (owner, key), n in counts.blocks.items() if owner == section_id}


def section_page(
    head: ConsultationHead,
    rows: Sequence[VersionRow],
    draft: FullDraft,
    key: str,
    counts: PlaceCounts,
    comments: Sequence[PublishedComment],
    item_units: Mapping[str, str],
    now: datetime,
) -> SectionPage:
    """Return one section with its comments.

    Raises:
        KeyError: the draft has no such section.
    """
    place = next((n for n, one in enumerate(draft.sections) if one.section.key == key), None)
    if place is None:
        raise KeyError(key)
    mine = draft.sections[place]
    versions = versions_of(rows)
    current = next(one for one in versions if one.number == draft.version.number)
    here = {block.key for block in mine.blocks}
    by_block: dict[str, list[PublishedComment]] = {}
    on_whole: list[PublishedComment] = []
    for comment in comments:
        if comment.block_key in here:
            by_block.setdefault(comment.block_key, []).append(comment)
        else:
            on_whole.append(comment)
    total = counts.sections.get(mine.section.section_id, 0)
    path = tuple(mine.section.path.split(" > ")[:-1])
    return SectionPage(
        consultation=wording.consultation(head, now),
        version=current,
        compare=_compare(versions, current),
        toc=toc(draft.sections, counts.sections, key),
        section=SectionView(
            key,
            mine.section.heading,
            mine.section.level,
            blocks(mine.blocks, _block_counts(counts, mine.section.section_id), by_block),
            total,
        ),
        path=path,
        children=tuple(
            Link(one.section.key, one.section.heading, counts.sections.get(one.section.section_id, 0))
            for one in draft.sections
            if one.section.parent_key == key
        ),
        lead_unit=mine.section.lead_name,
        items=tuple(ItemLink(item.key, item.title, item_units.get(item.key, "")) for item in mine.items),
        previous=_link(draft.sections, place - 1) if place else None,
        next=_link(draft.sections, place + 1),
        comments=tuple(brief(one) for one in on_whole),
        public_total=total,
        shown_total=len(comments),
    )


def _link(sections: Sequence[FullSection], place: int) -> Link | None:
    if place >= len(sections):
        return None
    one = sections[place].section
    return Link(one.key, one.heading)
