"""Reading drafts: versions, their outline, whole sections with blocks, and a version as it was imported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from consult.domain.errors import NotFound
from consult.domain.outline_model import BlockKind, ImportedBlock, ImportedDraft, ImportedSection, inline_html
from consult.models.consultations import Block, DraftVersion, Section, SectionItem, SectionVersion
from consult.models.plan import PlanItem, Unit


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version of a draft. `is_template`: the outline of 附件5 nobody has replaced yet (R-110)."""

    id: int
    number: int
    state: str
    title: str
    source_name: str
    source_sha256: str
    imported_by: int | None
    imported_at: datetime
    published_at: datetime | None
    correction_note: str
    warnings: tuple[Mapping[str, Any], ...]

    @property
    def is_template(self) -> bool:
        """Whether it was never imported from a file."""
        return not self.source_sha256

    @property
    def is_published(self) -> bool:
        """Whether the public may read it; it never changes again (R-11)."""
        return self.state == "published"


@dataclass(frozen=True, slots=True)
class BlockRow:
    """One paragraph or table row; `html` is cleaned inline markup, empty for tables and images."""

    key: str
    kind: str
    text: str
    html: str
    cells: tuple[str, ...] = ()
    table_no: int | None = None
    row_no: int | None = None


@dataclass(frozen=True, slots=True)
class SectionRow:
    """A section's heading and place in one version, with where comments on it go by default.

    `id` is that of the section in this version, `section_id` that of the section in every version.
    """

    id: int
    section_id: int
    key: str
    parent_key: str | None
    position: int
    level: int
    label: str
    title: str
    heading: str
    path: str
    lead_code: str
    lead_name: str
    lead_reason: str


@dataclass(frozen=True, slots=True)
class SectionItemRow:
    """A plan item a section is about."""

    key: str
    title: str
    kind: str


@dataclass(frozen=True, slots=True)
class FullSection:
    """A section with its blocks and items."""

    section: SectionRow
    blocks: tuple[BlockRow, ...]
    items: tuple[SectionItemRow, ...]


@dataclass(frozen=True, slots=True)
class FullDraft:
    """A whole version: what stands before the first heading, then the sections in reading order."""

    version: VersionRow
    intro: tuple[BlockRow, ...]
    sections: tuple[FullSection, ...]


def versions(session: Session, consultation_id: int, *, published_only: bool = False) -> tuple[VersionRow, ...]:
    """Return the versions of a consultation's draft by number."""
    statement = select(DraftVersion).where(DraftVersion.consultation_id == consultation_id)
    if published_only:
        statement = statement.where(DraftVersion.state == "published")
    return tuple(_version(row) for row in session.scalars(statement.order_by(DraftVersion.number)))


def published_version(session: Session, consultation_id: int, number: int | None = None) -> VersionRow:
    """Return the newest published version, or the one with that number.

    Raises:
        NotFound: there is none the public may read.
    """
    statement = select(DraftVersion).where(
        DraftVersion.consultation_id == consultation_id, DraftVersion.state == "published"
    )
    if number is not None:
        statement = statement.where(DraftVersion.number == number)
    row = session.scalar(statement.order_by(DraftVersion.number.desc()).limit(1))
    if row is None:
        raise NotFound(object="draft_version")
    return _version(row)


def editing_version(session: Session, consultation_id: int) -> VersionRow | None:
    """Return the version being worked on, or None; there is at most one."""
    row = session.scalar(
        select(DraftVersion).where(DraftVersion.consultation_id == consultation_id, DraftVersion.state == "editing")
    )
    return None if row is None else _version(row)


def outline(session: Session, version_id: int) -> tuple[SectionRow, ...]:
    """Return the sections of a version in reading order, without their text."""
    return tuple(_section(*row) for row in session.execute(_sections(version_id)))


def full_draft(session: Session, version: VersionRow) -> FullDraft:
    """Return a version with all its text; four statements, whatever its size."""
    sections = outline(session, version.id)
    ids = [section.id for section in sections]
    blocks, items = _blocks(session, ids), _items(session, ids)
    preamble = session.scalar(select(DraftVersion.preamble).where(DraftVersion.id == version.id)) or ""
    return FullDraft(
        version,
        load_intro(preamble),
        tuple(FullSection(one, blocks.get(one.id, ()), items.get(one.id, ())) for one in sections),
    )


def full_section(session: Session, version: VersionRow, key: str) -> FullSection:
    """Return one section with its text and items.

    Raises:
        NotFound: this version has no such section.
    """
    row = session.execute(_sections(version.id).where(Section.key == key)).first()
    if row is None:
        raise NotFound(object="section")
    section = _section(*row)
    return FullSection(
        section,
        _blocks(session, [section.id]).get(section.id, ()),
        _items(session, [section.id]).get(section.id, ()),
    )


def as_imported(session: Session, version: VersionRow) -> ImportedDraft:
    """Return a stored version in the importer's own shape, to carry its keys into the next one (R-11)."""
    whole = full_draft(session, version)
    return ImportedDraft(
        title=version.title,
        preamble=tuple(_imported_block(block, ()) for block in whole.intro),
        sections=tuple(_imported_section(one) for one in whole.sections),
    )


def used_keys(session: Session, consultation_id: int) -> tuple[frozenset[str], Mapping[str, frozenset[str]]]:
    """Return every section key of published versions, and the block keys each of them ever had."""
    published = (DraftVersion.consultation_id == consultation_id, DraftVersion.state == "published")
    base = (
        select(Section.key, Block.key)
        .select_from(SectionVersion)
        .join(DraftVersion, DraftVersion.id == SectionVersion.draft_version_id)
        .join(Section, Section.id == SectionVersion.section_id)
        .outerjoin(Block, Block.section_version_id == SectionVersion.id)
        .where(*published)
    )
    blocks: dict[str, set[str]] = {}
    for section_key, block_key in session.execute(base):
        blocks.setdefault(section_key, set()).add(block_key or "")
    return frozenset(blocks), {key: frozenset(keys - {""}) for key, keys in blocks.items()}


def dump_intro(blocks: Iterable[ImportedBlock]) -> str:
    """Return the blocks before the first section as `draft_version.preamble` holds them: one line of text each."""
    return "\n".join(" ".join(block.text.split()) for block in blocks if block.text.strip())


def load_intro(preamble: str) -> tuple[BlockRow, ...]:
    """Read what `dump_intro` wrote, as paragraphs."""
    return tuple(
        BlockRow(f"p{number}", "paragraph", line, inline_html(line))
        for number, line in enumerate(preamble.splitlines(), start=1)
    )


def _version(row: DraftVersion) -> VersionRow:
    return VersionRow(
        row.id,
        row.number,
        row.state,
        row.title,
        row.source_name,
        row.source_sha256,
        row.imported_by,
        row.imported_at,
        row.published_at,
        row.correction_note,
        tuple(row.warnings),
    )


def _sections(version_id: int) -> Select[SectionVersion, str, str | None, str | None, str | None]:
    parent, parent_section = aliased(SectionVersion), aliased(Section)
    return (
        select(SectionVersion, Section.key, parent_section.key, Unit.code, Unit.short_name)
        .join(Section, Section.id == SectionVersion.section_id)
        .outerjoin(parent, parent.id == SectionVersion.parent_id)
        .outerjoin(parent_section, parent_section.id == parent.section_id)
        .outerjoin(Unit, Unit.id == SectionVersion.default_lead_unit_id)
        .where(SectionVersion.draft_version_id == version_id)
        .order_by(SectionVersion.position)
    )


def _section(
    row: SectionVersion, key: str, parent_key: str | None, lead_code: str | None, lead_name: str | None
) -> SectionRow:
    return SectionRow(
        row.id,
        row.section_id,
        key,
        parent_key,
        row.position,
        row.level,
        row.label,
        row.title,
        row.heading,
        row.path,
        lead_code or "",
        lead_name or "",
        row.default_lead_reason,
    )


def _blocks(session: Session, ids: Iterable[int]) -> dict[int, tuple[BlockRow, ...]]:
    found: dict[int, list[BlockRow]] = {}
    statement = (
        select(Block).where(Block.section_version_id.in_(list(ids))).order_by(Block.section_version_id, Block.position)
    )
    for row in session.scalars(statement):
        found.setdefault(row.section_version_id, []).append(
            BlockRow(row.key, row.kind, row.text, row.html, tuple(row.cells), row.table_no, row.row_no)
        )
    return {key: tuple(value) for key, value in found.items()}


def _items(session: Session, ids: Iterable[int]) -> dict[int, tuple[SectionItemRow, ...]]:
    found: dict[int, list[SectionItemRow]] = {}
    statement = (
        select(SectionItem.section_version_id, PlanItem.key, PlanItem.title, PlanItem.kind)
        .join(PlanItem, PlanItem.id == SectionItem.item_id)
        .where(SectionItem.section_version_id.in_(list(ids)))
        .order_by(SectionItem.section_version_id, SectionItem.position)
    )
    for version_id, key, title, kind in session.execute(statement):
        found.setdefault(version_id, []).append(SectionItemRow(key, title, kind))
    return {key: tuple(value) for key, value in found.items()}


def _imported_section(one: FullSection) -> ImportedSection:
    headers = {block.table_no: block.cells for block in one.blocks if block.kind == "table_head"}
    section = one.section
    return ImportedSection(
        key=section.key,
        label=section.label,
        title=section.title or None,
        level=section.level,
        heading=section.heading,
        path=section.path,
        parent=section.parent_key,
        blocks=tuple(_imported_block(block, headers.get(block.table_no, ())) for block in one.blocks),
    )


def _imported_block(block: BlockRow, header: tuple[str, ...]) -> ImportedBlock:
    return ImportedBlock(
        key=block.key,
        kind=cast("BlockKind", block.kind),
        text=block.text,
        html=block.html,
        cells=block.cells,
        table_no=block.table_no,
        row_no=block.row_no,
        header=header if block.table_no is not None else (),
    )
