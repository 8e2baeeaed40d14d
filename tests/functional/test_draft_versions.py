"""Importing drafts: versions, stable keys, default leads, cleaned text; on real documents and both stores."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consult.db import Store
from consult.domain.errors import NotFound
from consult.domain.outline_model import ImportedBlock, ImportedDraft, ImportedSection
from consult.domain.plan_rows import PlanRefused
from consult.domain.prepared_draft import Prepared
from consult.domain.section_leads import Lead, lead_of_items
from consult.gateways.draft_import import read_draft
from consult.models.consultations import Block, Section
from consult.queries import calendars, units
from consult.queries import drafts as read_drafts
from consult.services import consultations, drafts
from consult.services.consultations import Signer
from consult.services.drafts import DraftFrozen, SourceFile
from tests.support.plan import EDITOR, NOW, PLAN, SIGNER, make_consultation, read

SLUG = "zhongqi"
V1 = read_draft(PLAN / "draft_v1.md", "draft_v1.md")
V2 = read_draft(PLAN / "draft_v2.md", "draft_v2.md")


def _source(name: str) -> SourceFile:
    return SourceFile(name, hashlib.sha256(name.encode()).hexdigest())


def _import(session: Session, draft: ImportedDraft, name: str = "v1.md", rules: str | None = None) -> Prepared:
    return drafts.import_draft(session, SLUG, draft, _source(name), EDITOR, NOW, rules)


def _publish(session: Session, note: str = "") -> None:
    calendar = calendars.work_calendar(session)
    consultations.publish(session, SLUG, Signer(SIGNER, "signer"), {"editor"}, calendar, NOW, note)


def test_r110_a_new_consultation_starts_from_the_outline_of_annex_5(store: Store) -> None:
    with store.writing() as session:
        key = make_consultation(session)
    with store.reading() as session:
        version = read_drafts.editing_version(session, key)
        assert version is not None
        headings = [row.heading for row in read_drafts.outline(session, version.id)]
        with pytest.raises(NotFound):
            read_drafts.published_version(session, key)
    assert version.is_template
    assert version.number == 1
    assert [heading for heading in headings if heading[1] == "、"] == [
        "一、进展情况",
        "二、趋势和问题分析",
        "三、思路举措",
        "四、调整方案",
    ]
    assert len(headings) == 12


def test_every_section_gets_the_lead_that_sections_csv_gives(store: Store) -> None:
    with store.writing() as session:
        key = make_consultation(session)
        prepared = _import(session, V1, rules=read("sections.csv"))
    assert [warning.code for warning in prepared.warnings if warning.code == "section_rule_unmatched"] == []
    with store.reading() as session:
        version = read_drafts.editing_version(session, key)
        assert version is not None
        whole = read_drafts.full_draft(session, version)
    assert len(whole.sections) == 54
    by_path = {one.section.path: one for one in whole.sections}
    for line in read("sections.csv").removeprefix("\ufeff").splitlines()[1:]:
        _, level, heading, path, items, lead, _ = line.split(",")
        one = by_path[path]
        assert (one.section.level, one.section.heading) == (int(level), heading)
        assert "|".join(item.key for item in one.items) == items
        assert (one.section.lead_code, one.section.lead_reason) == (lead, "given")


def test_a_section_without_a_row_falls_to_the_owner(store: Store) -> None:
    with store.writing() as session:
        make_consultation(session)
        prepared = _import(session, V1)
    assert {(one.lead.unit, one.lead.reason) for one in prepared.sections} == {("FGW", "owner")}


@pytest.mark.parametrize(
    ("leads", "expected"),
    [
        (["JW", "KW", "KW"], Lead("KW", "items")),
        (["JW", "KW", "KW", "JW"], Lead("JW", "items")),
        ([None, "SWJ"], Lead("SWJ", "items")),
        ([None], Lead("FGW", "owner")),
        ([], Lead("FGW", "owner")),
    ],
)
def test_default_lead_is_the_commonest_first_lead_and_ties_go_to_the_first(
    leads: list[str | None], expected: Lead
) -> None:
    assert lead_of_items(leads, "FGW") == expected


def test_without_a_given_lead_the_items_of_the_row_decide(store: Store) -> None:
    rules = "heading,path,item_keys,default_lead,units\n四、调整方案,四、调整方案,T36|T46|T37|T47,,\n"
    with store.writing() as session:
        make_consultation(session)
        prepared = _import(session, V1, rules=rules)
    last = prepared.sections[-1]
    assert (last.item_keys, last.lead) == (("T36", "T46", "T37", "T47"), Lead("JTW", "items"))
    assert last.lead_name == "区交通委"


def test_r57_a_group_is_never_stored_as_default_lead(store: Store) -> None:
    rules = (
        "heading,path,item_keys,default_lead,units\n"
        "四、调整方案,四、调整方案,T33,G_XGJZ,G_XGYQ|PJZ|JTW\n"
        "三、思路举措,三、思路举措,T33|T36,G_XGJZ,\n"
    )
    with store.writing() as session:
        make_consultation(session)
        prepared = _import(session, V1, rules=rules)
        groups = {unit.code for unit in units.list_units(session) if unit.is_group}
    leads = {one.section.heading: one.lead for one in prepared.sections}
    assert leads["四、调整方案"] == Lead("PJZ", "given")
    assert leads["三、思路举措"] == Lead("JTW", "items")
    assert not groups & {lead.unit for lead in leads.values()}


def test_wrong_rows_of_sections_csv_are_all_named_and_nothing_is_stored(store: Store) -> None:
    rules = read("sections.csv").replace("I01|I05|I14|I16,FGW", "I01|I99,XYZ", 1)
    with store.writing() as session:
        make_consultation(session)
    with store.writing() as session, pytest.raises(PlanRefused) as caught:
        _import(session, V1, rules=rules)
    assert [(one.line, one.file) for one in caught.value.problems] == [(6, "sections.csv")] * 2
    with store.reading() as session:
        assert session.scalar(select(func.count()).select_from(Section)) == 12


def test_a_row_without_a_section_is_a_warning(store: Store) -> None:
    rules = "heading,path,item_keys,default_lead,units\n五、没有,五、没有,,FGW,\n"
    with store.writing() as session:
        make_consultation(session)
        prepared = _import(session, V1, rules=rules)
    assert [(one.code, one.params["row"]) for one in prepared.warnings][-1] == ("section_rule_unmatched", 2)


def test_importing_again_before_publication_replaces_the_version_in_work(store: Store) -> None:
    with store.writing() as session:
        key = make_consultation(session)
        first = _import(session, V1)
        second = _import(session, V2)
        listed = read_drafts.versions(session, key)
        sections = session.scalar(select(func.count()).select_from(Section))
        blocks = session.scalar(select(func.count()).select_from(Block))
    assert first.replaces  # the template
    assert second.replaces
    assert [version.number for version in listed] == [1]
    assert sections == len(second.sections)
    assert blocks == second.block_count - len(second.preamble)


def test_r11_a_published_version_never_changes_and_the_next_one_keeps_its_addresses(store: Store) -> None:
    with store.writing() as session:
        key = make_consultation(session)
        _import(session, V1, rules=read("sections.csv"))
        _publish(session)
    with store.reading() as session:
        one = read_drafts.published_version(session, key)
        before = read_drafts.full_draft(session, one)
    with store.writing() as session:
        prepared = _import(session, V2, "v2.md")
    assert (prepared.number, prepared.replaces) == (2, False)
    with store.writing() as session:
        _publish(session, "按专家意见修改了第三部分。")
    with store.reading() as session:
        assert read_drafts.full_draft(session, read_drafts.published_version(session, key, 1)) == before
        two = read_drafts.published_version(session, key)
        after = read_drafts.full_draft(session, two)
    assert (two.number, two.correction_note) == (2, "按专家意见修改了第三部分。")
    old = {row.section.path: row for row in before.sections}
    same = [row for row in after.sections if row.section.path in old]
    assert len(same) > 45
    for row in same:
        was = old[row.section.path]
        assert (row.section.key, row.section.section_id) == (was.section.key, was.section.section_id)
        keys = {block.text: block.key for block in was.blocks}
        assert all(block.key == keys[block.text] for block in row.blocks if block.text in keys)


def test_items_and_given_leads_carry_over_to_the_next_version(store: Store) -> None:
    with store.writing() as session:
        make_consultation(session)
        first = _import(session, V1, rules=read("sections.csv"))
        _publish(session)
        second = _import(session, V2, "v2.md")
    old = {one.section.key: one for one in first.sections}
    kept = [one for one in second.sections if one.section.key in old]
    assert len(kept) > 45
    for one in kept:
        assert (one.item_keys, one.lead) == (old[one.section.key].item_keys, old[one.section.key].lead)


def test_a_stored_version_comes_back_in_the_shape_of_the_importer(store: Store) -> None:
    with store.writing() as session:
        key = make_consultation(session)
        _import(session, V1)
        version = read_drafts.editing_version(session, key)
        assert version is not None
        back = read_drafts.as_imported(session, version)
    assert back.title == V1.title
    assert [(one.key, one.heading, one.level, one.parent) for one in back.sections] == [
        (one.key, one.heading, one.level, one.parent) for one in V1.sections
    ]
    assert [block.text for one in back.sections for block in one.blocks] == [
        block.text for one in V1.sections for block in one.blocks
    ]
    assert len(back.preamble) == len(V1.preamble)


def test_dangerous_markup_is_neutralised_when_a_draft_is_stored(store: Store) -> None:
    block = ImportedBlock(
        "p1", "paragraph", "坏", '坏<script>x</script><a href="javascript:x()">点</a><strong>好</strong>'
    )
    draft = ImportedDraft("稿", (), (ImportedSection("s1", "一、", "甲", 1, "一、甲", "一、甲", None, (block,)),))
    with store.writing() as session:
        key = make_consultation(session)
        _import(session, draft)
        version = read_drafts.editing_version(session, key)
        assert version is not None
        html = read_drafts.full_section(session, version, "s1").blocks[0].html
    assert "script" not in html
    assert "<strong>好</strong>" in html


def test_a_section_that_does_not_exist_is_not_found(store: Store) -> None:
    with store.writing() as session:
        key = make_consultation(session)
        version = read_drafts.editing_version(session, key)
        assert version is not None
        with pytest.raises(NotFound):
            read_drafts.full_section(session, version, "s99")
        with pytest.raises(NotFound):
            drafts.prepare(session, "none", V1)


def test_a_new_section_never_gets_the_key_of_one_that_was_published(store: Store) -> None:
    shorter = replace(V1, sections=V1.sections[:-1])
    extra = replace(V1.sections[-1], heading="五、附则", title="附则", label="五、", path="五、附则", blocks=())
    with store.writing() as session:
        make_consultation(session)
        _import(session, V1)
        _publish(session)
        _import(session, shorter, "v2")
        _publish(session, "删去第四部分。")
        third = _import(session, replace(shorter, sections=(*shorter.sections, extra)), "v3")
    assert third.sections[-1].section.key != V1.sections[-1].key


def test_an_archived_consultation_takes_no_draft(store: Store) -> None:
    from consult.models.consultations import Consultation

    with store.writing() as session:
        key = make_consultation(session)
        session.get_one(Consultation, key).stage = "archived"
        session.flush()
        with pytest.raises(DraftFrozen):
            _import(session, V1)
