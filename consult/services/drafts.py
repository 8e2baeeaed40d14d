"""Importing a draft into a consultation: a new version in work, with stable keys, items and default leads.

At most one version is in work. Importing again replaces it; a published version is never touched (R-11).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from consult.domain.errors import NotFound, Refused
from consult.domain.outline import carry_keys, default_outline
from consult.domain.outline_model import DraftWarning, ImportedBlock, ImportedDraft, ImportedSection
from consult.domain.prepared_draft import Prepared, PreparedSection
from consult.domain.section_leads import (
    Lead,
    SectionRule,
    lead_of_items,
    lead_of_rule,
    match_rules,
    read_section_rules,
)
from consult.gateways import html_cleaning
from consult.models.consultations import Block, Consultation, DraftVersion, Section, SectionItem, SectionVersion
from consult.models.plan import PlanItem, PlanItemUnit, Unit
from consult.queries import drafts as stored
from consult.queries.drafts import VersionRow
from consult.services import events
from consult.services.events import Actor

TEMPLATE_NAME = "附件5 报告提纲"


class DraftFrozen(Refused):
    """The consultation is archived; its draft takes no further version (R-13)."""

    code = "draft_frozen"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """Where a draft came from: the name the person gave the file, and the SHA-256 of its bytes."""

    name: str
    sha256: str


def prepare(session: Session, slug: str, draft: ImportedDraft, sections_csv: str | None = None) -> Prepared:
    """Work out keys, items and leads of an imported draft, for preview or storing; reads only.

    Raises:
        NotFound: no such consultation.
        DraftFrozen: it is archived.
        PlanRefused: sections.csv names units or items the plan does not have.
    """
    consultation = session.scalar(select(Consultation).where(Consultation.slug == slug))
    if consultation is None:
        raise NotFound(object="consultation")
    return _prepare(session, consultation, draft, sections_csv)


def import_draft(
    session: Session,
    slug: str,
    draft: ImportedDraft,
    source: SourceFile,
    actor: Actor,
    now: datetime,
    sections_csv: str | None = None,
) -> Prepared:
    """Store a draft as the version in work, replacing the one there was.

    Raises:
        NotFound, DraftFrozen, PlanRefused: as `prepare`; nothing is stored.
    """
    consultation = session.scalar(select(Consultation).where(Consultation.slug == slug).with_for_update())
    if consultation is None:
        raise NotFound(object="consultation")
    prepared = _prepare(session, consultation, draft, sections_csv)
    _store(session, consultation, prepared, source, actor.id, now)
    events.append_to_consultation(
        session,
        consultation,
        "import_draft",
        actor,
        now,
        detail={
            "version": prepared.number,
            "sections": len(prepared.sections),
            "blocks": prepared.block_count,
            "sha256": source.sha256,
        },
    )
    session.flush()
    return prepared


def start_from_template(session: Session, consultation: Consultation, now: datetime) -> None:
    """Give a new consultation the outline of 附件5 as its version in work (R-110)."""
    prepared = _prepare(session, consultation, default_outline(), None)
    _store(session, consultation, prepared, SourceFile(TEMPLATE_NAME, ""), consultation.created_by, now)


# -- working it out --------------------------------------------------------------------------------


def _prepare(session: Session, consultation: Consultation, draft: ImportedDraft, sections_csv: str | None) -> Prepared:
    if consultation.stage == "archived":
        raise DraftFrozen(field="file")
    known = stored.versions(session, consultation.id)
    published = [version for version in known if version.is_published]
    replaces = any(not version.is_published for version in known)
    previous = published[-1] if published else None
    keyed = _with_keys(session, consultation.id, previous, draft)
    facts = _plan_facts(session, consultation.owner_unit_id)
    rules = () if sections_csv is None else read_section_rules(sections_csv, facts.names, facts.item_units)
    matched = match_rules(rules, keyed.sections)
    carried = {} if previous is None else _carried(session, previous)
    warnings = [*draft.warnings, *_unmatched(matched.unmatched)]
    return Prepared(
        number=(published[-1].number if published else 0) + 1,
        replaces=replaces,
        title=keyed.title,
        preamble=tuple(_cleaned(block) for block in keyed.preamble),
        sections=tuple(
            _section(one, matched.by_key.get(one.key), carried.get(one.key), facts) for one in keyed.sections
        ),
        warnings=tuple(warnings),
    )


def _with_keys(
    session: Session, consultation_id: int, previous: VersionRow | None, draft: ImportedDraft
) -> ImportedDraft:
    if previous is None:
        return draft
    retired, retired_blocks = stored.used_keys(session, consultation_id)
    return carry_keys(stored.as_imported(session, previous), draft, retired=retired, retired_blocks=retired_blocks)


def _unmatched(rules: Sequence[SectionRule]) -> list[DraftWarning]:
    return [
        DraftWarning(None, "section_rule_unmatched", {"row": rule.line, "heading": rule.heading or rule.path})
        for rule in rules
    ]


@dataclass(frozen=True, slots=True)
class _PlanFacts:
    """What leads are worked out from: unit code -> name, codes that may be routed to, item key -> its units."""

    names: Mapping[str, str]
    real: frozenset[str]
    item_units: Mapping[str, tuple[str, ...]]
    owner: str

    def first_real(self, item_key: str) -> str | None:
        return next((code for code in self.item_units[item_key] if code in self.real), None)


def _plan_facts(session: Session, owner_unit_id: int) -> _PlanFacts:
    names: dict[str, str] = {}
    real: set[str] = set()
    owner = ""
    for unit_id, code, name, kind, assignable in session.execute(
        select(Unit.id, Unit.code, Unit.short_name, Unit.kind, Unit.assignable)
    ):
        names[code] = name
        if assignable and kind != "group":
            real.add(code)
        if unit_id == owner_unit_id:
            owner = code
    items: dict[str, list[str]] = {key: [] for key in session.scalars(select(PlanItem.key))}
    links = (
        select(PlanItem.key, Unit.code)
        .join(PlanItemUnit, PlanItemUnit.item_id == PlanItem.id)
        .join(Unit, Unit.id == PlanItemUnit.unit_id)
        .order_by(PlanItem.id, PlanItemUnit.position)
    )
    for key, code in session.execute(links):
        items[key].append(code)
    return _PlanFacts(names, frozenset(real), {key: tuple(codes) for key, codes in items.items()}, owner)


@dataclass(frozen=True, slots=True)
class _Carried:
    """What the previous version knew about a section: its items, and a lead that was given by hand."""

    item_keys: tuple[str, ...]
    given: Lead | None


def _carried(session: Session, previous: VersionRow) -> dict[str, _Carried]:
    out: dict[str, _Carried] = {}
    for one in stored.full_draft(session, previous).sections:
        row = one.section
        given = Lead(row.lead_code, row.lead_reason) if row.lead_reason == "given" and row.lead_code else None
        out[row.key] = _Carried(tuple(item.key for item in one.items), given)
    return out


def _section(
    section: ImportedSection, rule: SectionRule | None, carried: _Carried | None, facts: _PlanFacts
) -> PreparedSection:
    if rule is not None:
        item_keys = rule.item_keys
        lead = lead_of_rule(rule, facts.real, map(facts.first_real, item_keys), facts.owner)
    elif carried is not None:
        item_keys = carried.item_keys
        lead = carried.given or lead_of_items(map(facts.first_real, item_keys), facts.owner)
    else:
        item_keys = ()
        lead = lead_of_items((), facts.owner)
    blocks = tuple(_cleaned(block) for block in section.blocks)
    return PreparedSection(replace(section, blocks=blocks), item_keys, lead, facts.names.get(lead.unit, ""))


def _cleaned(block: ImportedBlock) -> ImportedBlock:
    if not block.html:
        return block
    return replace(block, html=html_cleaning.clean_section(block.html))


# -- storing it ------------------------------------------------------------------------------------


def _store(
    session: Session,
    consultation: Consultation,
    prepared: Prepared,
    source: SourceFile,
    imported_by: int | None,
    now: datetime,
) -> None:
    _drop_version_in_work(session, consultation.id)
    version = DraftVersion(
        consultation_id=consultation.id,
        number=prepared.number,
        state="editing",
        title=prepared.title,
        preamble=stored.dump_intro(prepared.preamble),
        source_name=source.name[:200],
        source_sha256=source.sha256,
        warnings=[{"line": one.line, "code": one.code, "params": dict(one.params)} for one in prepared.warnings],
        cleaner_version=str(html_cleaning.CLEANER_VERSION),
        imported_by=imported_by,
        imported_at=now,
    )
    session.add(version)
    session.flush()
    section_ids = _section_ids(session, consultation.id, [one.section.key for one in prepared.sections])
    unit_ids = dict(session.execute(select(Unit.code, Unit.id)).all())
    rows: dict[str, SectionVersion] = {}
    numbered = list(enumerate(prepared.sections, start=1))
    for level in sorted({one.section.level for one in prepared.sections}):  # a child needs its parent's id
        for position, one in numbered:
            section = one.section
            if section.level != level:
                continue
            row = rows[section.key] = SectionVersion(
                draft_version_id=version.id,
                section_id=section_ids[section.key],
                parent_id=None if section.parent is None else rows[section.parent].id,
                position=position,
                level=section.level,
                label=section.label,
                title=section.title or "",
                heading=section.heading,
                path=section.path,
                default_lead_unit_id=unit_ids.get(one.lead.unit),
                default_lead_reason=one.lead.reason,
            )
            session.add(row)
        session.flush()
    _store_text(session, prepared, rows)


def _store_text(session: Session, prepared: Prepared, rows: Mapping[str, SectionVersion]) -> None:
    item_ids = dict(session.execute(select(PlanItem.key, PlanItem.id)).all())
    for one in prepared.sections:
        version_id = rows[one.section.key].id
        session.add_all(
            [
                Block(
                    section_version_id=version_id,
                    key=block.key,
                    position=position,
                    kind=block.kind,
                    text=block.text,
                    html=block.html,
                    cells=list(block.cells),
                    table_no=block.table_no,
                    row_no=block.row_no,
                )
                for position, block in enumerate(one.section.blocks, start=1)
            ]
        )
        session.add_all(
            [
                SectionItem(section_version_id=version_id, item_id=item_ids[key], position=position)
                for position, key in enumerate(one.item_keys, start=1)
            ]
        )
    session.flush()


def _section_ids(session: Session, consultation_id: int, keys: Sequence[str]) -> dict[str, int]:
    statement = select(Section.key, Section.id).where(Section.consultation_id == consultation_id)
    known = dict(session.execute(statement).all())
    fresh = [Section(consultation_id=consultation_id, key=key) for key in keys if key not in known]
    session.add_all(fresh)
    session.flush()
    return known | {section.key: section.id for section in fresh}


def _drop_version_in_work(session: Session, consultation_id: int) -> None:
    """Remove the version in work and the sections only it had; no comment can be about them (R-27)."""
    in_work = session.scalars(
        select(DraftVersion.id).where(DraftVersion.consultation_id == consultation_id, DraftVersion.state == "editing")
    ).all()
    for version_id in in_work:
        session.execute(delete(SectionVersion).where(SectionVersion.draft_version_id == version_id))
        session.execute(delete(DraftVersion).where(DraftVersion.id == version_id))
    used = select(SectionVersion.section_id)
    session.execute(
        delete(Section).where(Section.consultation_id == consultation_id, Section.id.not_in(used)),
        execution_options={"synchronize_session": False},
    )
