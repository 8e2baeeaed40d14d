"""Consultations from the first entry to collating: R-01 to R-13, R-95, R-115 and table C00 to C05, on both stores."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.db import Store
from consult.domain.errors import ExtensionAfterEnd, ExtensionNotLonger, FieldErrors, IllegalTransition, NotFound
from consult.domain.event_chain import Entry, first_break
from consult.domain.outline_model import ImportedBlock, ImportedDraft, ImportedSection
from consult.domain.periods import ConsultationState
from consult.domain.publication import PublicationRefused, binding_indicators_changed
from consult.models.consultations import Consultation, ConsultationEvent
from consult.queries import calendars
from consult.queries import consultations as read
from consult.services import consultations, drafts
from consult.services.consultations import Published, Signer
from consult.services.drafts import SourceFile
from consult.services.events import Actor
from tests.support.plan import EDITOR, NOW, SIGNER, load_little, make_consultation, new_consultation

SLUG = "zhongqi"
VECTORS = json.loads((Path(__file__).parents[1] / "data" / "vectors.json").read_text("utf-8"))
ASSIGNER = Actor("staff", "assigner", 13)


def _draft(*texts: str, heading: str = "四、调整方案") -> ImportedDraft:
    blocks = tuple(ImportedBlock(f"p{n}", "paragraph", text, text) for n, text in enumerate(texts, start=1))
    return ImportedDraft(
        "稿", (), (ImportedSection("s1", heading[:2], heading[2:], 1, heading, heading, None, blocks),)
    )


def _ready(session: Session, now: datetime = NOW, draft: ImportedDraft | None = None, **changes: object) -> int:
    key = make_consultation(session, now, whole_plan=False, **changes)
    _import(session, now, draft)
    return key


def _import(session: Session, now: datetime = NOW, draft: ImportedDraft | None = None, actor: Actor = EDITOR) -> None:
    drafts.import_draft(session, SLUG, draft or _draft("正文。"), SourceFile("稿.docx", "ab" * 32), actor, now)


def _publish(session: Session, now: datetime = NOW, note: str = "", person: str = "signer") -> Published:
    calendar = calendars.work_calendar(session)
    return consultations.publish(session, SLUG, Signer(SIGNER, person), {"editor"}, calendar, now, note)


def _refusals(session: Session, now: datetime = NOW, note: str = "", person: str = "signer") -> list[str]:
    with pytest.raises(PublicationRefused) as caught:
        _publish(session, now, note, person)
    return [one.code for one in caught.value.refusals]


def _state(store: Store, now: datetime) -> ConsultationState:
    with store.reading() as session:
        return read.consultation(session, SLUG, now).state


def _beijing(day: str, hour: int = 9) -> datetime:
    return datetime.fromisoformat(f"{day}T{hour:02d}:00:00+08:00").astimezone(UTC)


# -- making ----------------------------------------------------------------------------------------


def test_a_new_consultation_is_a_draft_and_its_making_is_recorded(store: Store) -> None:
    with store.writing() as session:
        key = make_consultation(session, whole_plan=False, owner_unit="区发改委")
    with store.reading() as session:
        row = read.consultation(session, SLUG, NOW)
        log = read.history(session, key)
    assert (row.state, row.owner_code, row.short_code) == (ConsultationState.DRAFT, "FGW", "ZP")
    assert [(one.kind, one.after, one.actor_id) for one in log] == [("create", "draft", EDITOR.id)]


def test_everything_wrong_in_a_new_consultation_is_said_at_once(store: Store) -> None:
    with store.writing() as session:
        make_consultation(session, whole_plan=False)
        with pytest.raises(FieldErrors) as caught:
            consultations.create(
                session,
                new_consultation(
                    title=" ",
                    owner_unit="区某局",
                    programme="none",
                    ends_on=date(2026, 1, 1),
                    retention_months=13,
                    contact_rule="none",
                    contact_email="x",
                ),
                EDITOR,
                NOW,
            )
    assert caught.value.codes() == {
        "slug": ["slug_taken"],
        "title": ["title_required"],
        "short_code": ["short_code_taken"],
        "owner_unit": ["unit_unknown"],
        "programme": ["programme_unknown"],
        "ends_on": ["period_reversed"],
        "contact_email": ["email_malformed"],
        "retention_months": ["retention_malformed"],
        "contact_rule": ["contact_rule_malformed"],
    }


@pytest.mark.parametrize("slug", ["", "A", "a b", "-a", "a-", "a/../b", "中期", "a" * 61])
def test_an_address_takes_only_small_letters_digits_and_hyphens(store: Store, slug: str) -> None:
    with store.writing() as session:
        load_little(session)
        with pytest.raises(FieldErrors) as caught:
            consultations.create(session, new_consultation(slug=slug), EDITOR, NOW)
    assert caught.value.codes() == {"slug": ["slug_malformed"]}


def test_r57_a_group_cannot_own_a_consultation(store: Store) -> None:
    with store.writing() as session:
        load_little(session)
        with pytest.raises(FieldErrors) as caught:
            consultations.create(session, new_consultation(owner_unit="各街镇"), EDITOR, NOW)
    assert caught.value.codes() == {"owner_unit": ["group_not_assignable"]}


# -- publishing ------------------------------------------------------------------------------------


def test_c00_a_complete_consultation_is_published_and_opens_by_the_clock(store: Store) -> None:
    with store.writing() as session:
        key = _ready(session, starts_on=date(2026, 3, 5), ends_on=date(2026, 4, 10))
        done = _publish(session)
    assert done == Published(1, True, date(2026, 3, 5), date(2026, 4, 10))
    assert _state(store, NOW) is ConsultationState.NOT_STARTED
    assert _state(store, _beijing("2026-03-05", 0)) is ConsultationState.OPEN
    assert _state(store, _beijing("2026-04-10", 23)) is ConsultationState.OPEN
    assert _state(store, _beijing("2026-04-11", 0)) is ConsultationState.ENDED
    with store.reading() as session:
        last = read.history(session, key)[-1]
    assert (last.kind, last.actor_id, last.actor_role) == ("publish", SIGNER.id, "sign_off_officer")


@pytest.mark.parametrize("case", VECTORS["periods"]["vectors"], ids=lambda case: case["published_on"] + case["end"])
def test_r01_r02_r03_periods_of_the_vectors(store: Store, case: dict[str, object]) -> None:
    now = datetime.fromisoformat(f"{case['published_on']}T09:00:00+08:00")
    with store.writing() as session:
        _ready(
            session,
            now,
            starts_on=date.fromisoformat(str(case["start"])),
            ends_on=date.fromisoformat(str(case["end"])),
            shortened=case["shorten"],
            shortening_reason=case["shorten_reason"],
        )
        if case["publish_allowed"]:
            done = _publish(session, now)
            assert done.starts_on.isoformat() == case["effective_start"]
        else:
            assert _refusals(session, now)


def test_r10_every_missing_part_is_listed(store: Store) -> None:
    with store.writing() as session:
        make_consultation(
            session, whole_plan=False, drafting_note="", how_to_comment=" ", contact_unit="", contact_phone=""
        )
        with pytest.raises(PublicationRefused) as caught:
            _publish(session)
    missing = [one.params["missing"] for one in caught.value.refusals if one.code == "publication_incomplete"]
    assert missing == [("draft",), ("drafting_note",), ("method",), ("contact_unit",), ("contact_way",)]


def test_refused_publication_changes_nothing(store: Store) -> None:
    with store.writing() as session:
        key = _ready(session, drafting_note="", ends_on=date(2026, 3, 20))
    with pytest.raises(PublicationRefused) as caught, store.writing() as session:
        _publish(session, person="editor")
    assert [one.code for one in caught.value.refusals] == [
        "publication_incomplete",
        "period_too_short",
        "editor_cannot_publish",
    ]
    assert _state(store, NOW) is ConsultationState.DRAFT
    with store.reading() as session:
        assert [one.kind for one in read.history(session, key)] == ["create", "import_draft"]


def test_r110_the_template_alone_is_no_draft_to_publish(store: Store) -> None:
    with store.writing() as session:
        make_consultation(session, whole_plan=False)
        assert _refusals(session) == ["publication_incomplete"]


def test_c00_neither_the_maker_nor_an_importer_signs(store: Store) -> None:
    with store.writing() as session:
        _ready(session)
        _import(session, actor=Actor("staff", "reviewer", 21))
        _import(session, actor=Actor("staff", "reviewer", 22))
        assert consultations.editor_ids(session, SLUG) == {EDITOR.id, 21, 22}
        assert _refusals(session, person="editor") == ["editor_cannot_publish"]
        assert _publish(session).first
        # of the next version only its own importers are editors
        assert consultations.editor_ids(session, SLUG) == frozenset()
        _import(session, _beijing("2026-03-03"), actor=Actor("staff", "reviewer", 23))
        assert consultations.editor_ids(session, SLUG) == {23}


def test_r06_an_end_on_a_day_off_is_only_a_hint(store: Store) -> None:
    with store.writing() as session:
        _ready(session, starts_on=date(2026, 3, 2), ends_on=date(2026, 4, 6))
        calendar = calendars.work_calendar(session)
        check = consultations.check_publication(session, SLUG, "signer", {"editor"}, calendar, NOW)
    assert check.allowed
    assert check.rollover == date(2026, 4, 7)


def test_r115_changing_a_binding_indicator_needs_an_explanation(store: Store) -> None:
    draft = _draft("建议将森林覆盖率目标值调整为19.5%。")
    with store.writing() as session:
        _ready(session, draft=draft)
        with pytest.raises(PublicationRefused) as caught:
            _publish(session)
        assert caught.value.refusals[0].params == {"indicators": ("森林覆盖率",)}
        session.scalars(select(Consultation)).one().adjustment_note = "说明见第四部分，将依法报请审查批准。"
        session.flush()
        assert _publish(session).number == 1


def test_r115_an_adjustment_linked_to_a_binding_indicator_counts_too(store: Store) -> None:
    rules = "heading,path,item_keys,default_lead,units\n四、调整方案,四、调整方案,I14,,\n"
    with store.writing() as session:
        make_consultation(session, whole_plan=False)
        drafts.import_draft(session, SLUG, _draft("正文。"), SourceFile("稿", "ab" * 32), EDITOR, NOW, rules)
        assert _refusals(session) == ["adjustment_note_required"]


@pytest.mark.parametrize(
    "text",
    [
        "约束性指标不作调整。",
        "本次未提出调整森林覆盖率的建议。",
        "如后续确需调整森林覆盖率，由牵头单位提出理由。",
        "森林覆盖率进展顺利。",
    ],
)
def test_r115_saying_that_nothing_changes_needs_no_explanation(text: str) -> None:
    assert binding_indicators_changed([text], ["森林覆盖率"]) == ()


def test_r11_a_further_version_needs_a_note_and_leaves_the_period_alone(store: Store) -> None:
    later = _beijing("2026-03-20")
    with store.writing() as session:
        key = _ready(session)
        _publish(session)
    with store.writing() as session:
        assert _refusals(session, later) == ["nothing_to_publish", "correction_note_required"]
        _import(session, later, _draft("改过的正文。"))
        assert _refusals(session, later) == ["correction_note_required"]
        done = _publish(session, later, "更正第四部分文字。")
    assert done == Published(2, False, date(2026, 3, 2), date(2026, 4, 1))
    with store.reading() as session:
        log = read.history(session, key)
    assert (log[-1].kind, log[-1].reason, log[-1].before) == ("publish_version", "更正第四部分文字。", "open")


def test_unknown_consultation_is_not_found(store: Store) -> None:
    with store.reading() as session, pytest.raises(NotFound):
        read.consultation(session, "none", NOW)
    with store.writing() as session, pytest.raises(NotFound):
        _publish(session)


def test_a_consultation_outside_ones_own_is_not_found(store: Store) -> None:
    with store.writing() as session:
        key = make_consultation(session, whole_plan=False)
    with store.reading() as session:
        assert read.consultation(session, SLUG, NOW, frozenset({key})).id == key
        assert read.list_consultations(session, NOW, frozenset()) == ()
        with pytest.raises(NotFound):
            read.consultation(session, SLUG, NOW, frozenset({key + 1}))


# -- extending and collating -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "case", VECTORS["consultation_extension"], ids=lambda case: case["decided_at"] + case["end_new"]
)
def test_r07_extensions_of_the_vectors(store: Store, case: dict[str, object]) -> None:
    published = _beijing("2023-07-17")
    decided = datetime.fromisoformat(str(case["decided_at"]))
    with store.writing() as session:
        key = _ready(session, published, starts_on=date(2023, 7, 17), ends_on=date(2023, 8, 16))
        _publish(session, published)
    new_end = date.fromisoformat(str(case["end_new"]))
    with store.writing() as session:
        if not case["allowed"]:
            with pytest.raises((ExtensionAfterEnd, ExtensionNotLonger)):
                consultations.extend(session, SLUG, new_end, "应居民要求延长征集时间。", SIGNER, decided)
            return
        consultations.extend(session, SLUG, new_end, "应居民要求延长征集时间。", SIGNER, decided, "公告2号")
        rows = read.extensions(session, key)
    assert [(row.old_end, row.new_end, row.notice_no) for row in rows] == [(date(2023, 8, 16), new_end, "公告2号")]


def test_r07_every_extension_is_kept(store: Store) -> None:
    with store.writing() as session:
        key = _ready(session)
        _publish(session)
        consultations.extend(session, SLUG, date(2026, 4, 8), "第一次延长，反映踊跃。", SIGNER, NOW)
        consultations.extend(session, SLUG, date(2026, 4, 15), "第二次延长，反映踊跃。", SIGNER, NOW)
    with store.reading() as session:
        assert [row.new_end for row in read.extensions(session, key)] == [date(2026, 4, 8), date(2026, 4, 15)]
        assert read.consultation(session, SLUG, NOW).ends_on == date(2026, 4, 15)


def test_r07_an_extension_says_why(store: Store) -> None:
    with store.writing() as session:
        _ready(session)
        _publish(session)
        with pytest.raises(FieldErrors):
            consultations.extend(session, SLUG, date(2026, 4, 8), "需要", SIGNER, NOW)


def test_r13_what_the_table_does_not_have_is_refused(store: Store) -> None:
    with store.writing() as session:
        _ready(session)
        with pytest.raises(IllegalTransition):
            consultations.extend(session, SLUG, date(2026, 4, 8), "应居民要求延长征集时间。", SIGNER, NOW)
        with pytest.raises(IllegalTransition):
            consultations.start_collating(session, SLUG, 0, ASSIGNER, NOW)
        _publish(session)
        with pytest.raises(IllegalTransition):
            consultations.start_collating(session, SLUG, 0, ASSIGNER, NOW)


def test_c05_an_ended_consultation_turns_to_collating_once(store: Store) -> None:
    after = _beijing("2026-04-02", 0)
    with store.writing() as session:
        key = _ready(session)
        _publish(session)
    with store.writing() as session:
        consultations.start_collating(session, SLUG, 3, ASSIGNER, after)
        with pytest.raises(IllegalTransition):
            consultations.start_collating(session, SLUG, 3, ASSIGNER, after)
    assert _state(store, after) is ConsultationState.COLLATING
    with store.reading() as session:
        last = read.history(session, key)[-1]
    assert (last.kind, last.before, last.after) == ("start_collating", "ended", "collating")


def test_the_log_of_a_consultation_is_one_unbroken_chain(store: Store) -> None:
    with store.writing() as session:
        _ready(session)
        _publish(session)
        consultations.extend(session, SLUG, date(2026, 4, 8), "应居民要求延长征集时间。", SIGNER, NOW)
    with store.reading() as session:
        consultation = session.scalars(select(Consultation)).one()
        entries = [
            (
                Entry(
                    f"consultation:{SLUG}",
                    row.seq,
                    row.kind,
                    row.before,
                    row.after,
                    "staff",
                    row.actor_id,
                    row.actor_role,
                    row.reason,
                    row.detail,
                    row.at,
                ),
                row.previous_digest,
                row.digest,
            )
            for row in session.scalars(select(ConsultationEvent).order_by(ConsultationEvent.seq))
        ]
    assert [entry.kind for entry, _, _ in entries] == ["create", "import_draft", "publish", "extend"]
    assert first_break(entries, (consultation.event_seq, consultation.event_head)) is None


# -- changing before publication -------------------------------------------------------------------


def test_c00_an_unpublished_consultation_is_changed_and_who_changed_it_cannot_sign(store: Store) -> None:
    with store.writing() as session:
        key = _ready(session, drafting_note="")
        changed = consultations.edit(
            session, SLUG, new_consultation(drafting_note="补写的起草说明。"), Actor("staff", "reviewer", 31), NOW
        )
        assert "drafting_note" in changed
        assert 31 in consultations.editor_ids(session, SLUG)
    with store.reading() as session:
        assert read.consultation(session, SLUG, NOW).drafting_note == "补写的起草说明。"
        assert [one.kind for one in read.history(session, key)][-1] == "edit"


def test_r08_a_published_consultation_is_not_changed(store: Store) -> None:
    with store.writing() as session:
        _ready(session)
        _publish(session)
    with pytest.raises(IllegalTransition), store.writing() as session:
        consultations.edit(session, SLUG, new_consultation(title="另一个标题"), EDITOR, NOW)
