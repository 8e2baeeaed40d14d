"""Making, publishing, extending and collating consultations (R-01 to R-13, R-110, R-115; table C00 to C05).

Who may do it is checked by the caller: staff are known here only by their id and the key of the natural person.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.domain.calendar import WorkCalendar, local_day
from consult.domain.errors import (
    DomainError,
    FieldErrors,
    GroupNotAssignable,
    IllegalTransition,
    NotFound,
    PeriodReversed,
    Refused,
    UnitUnknown,
)
from consult.domain.new_consultation import NewConsultation
from consult.domain.periods import (
    ConsultationAction,
    ConsultationState,
    available_consultation_actions,
    check_extension,
    current_state,
    next_consultation_state,
    opening_window,
    period_check,
)
from consult.domain.publication import (
    AdjustmentNoteRequired,
    NothingToPublish,
    PartsPresent,
    PublicationCheck,
    PublicationRefused,
    binding_indicators_changed,
    editor_refusals,
    missing_refusals,
    note_refusals,
)
from consult.models.consultations import (
    Block,
    Consultation,
    ConsultationEvent,
    DraftVersion,
    PeriodExtension,
    Programme,
    SectionItem,
    SectionVersion,
)
from consult.models.plan import PlanItem
from consult.queries import units
from consult.services import drafts, events
from consult.services.events import Actor

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?")
_SHORT_CODE = re.compile(r"[A-Z]{1,6}")
_CONTACT_RULES = ("both", "either")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
REASON_MINIMUM = 10
_BEFORE_EVERYTHING = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs: an account and the natural person behind it (R-95)."""

    actor: Actor
    person_key: str


@dataclass(frozen=True, slots=True)
class Published:
    """What was published."""

    number: int
    first: bool
    starts_on: date
    ends_on: date


# -- making ----------------------------------------------------------------------------------------


def create(session: Session, new: NewConsultation, actor: Actor, now: datetime) -> int:
    """Make a consultation in draft, with the outline of 附件5 as its version in work (R-110); return its id.

    Raises:
        FieldErrors: with every field that needs attention.
    """
    problems: dict[str, list[DomainError]] = {}
    _check_words(new, problems)
    owner_id = _owner(session, new.owner_unit, problems)
    programme_id = session.scalar(select(Programme.id).where(Programme.slug == new.programme))
    if programme_id is None:
        problems.setdefault("programme", []).append(Refused("programme_unknown", field="programme"))
    _check_free(session, new, problems)
    if problems or owner_id is None or programme_id is None:
        order = [field.name for field in fields(new)]
        raise FieldErrors({name: problems[name] for name in sorted(problems, key=order.index)})
    given = {field.name: getattr(new, field.name) for field in fields(new)}
    del given["owner_unit"], given["programme"]
    consultation = Consultation(
        **{name: value.strip() if isinstance(value, str) else value for name, value in given.items()},
        programme_id=programme_id,
        owner_unit_id=owner_id,
        created_by=actor.id,
    )
    session.add(consultation)
    session.flush()
    events.append_to_consultation(
        session, consultation, "create", actor, now, after=ConsultationState.DRAFT, detail=_period(consultation)
    )
    drafts.start_from_template(session, consultation, now)
    session.flush()
    return consultation.id


_EDITABLE = (
    "title",
    "starts_on",
    "ends_on",
    "shortened",
    "shortening_reason",
    "drafting_note",
    "how_to_comment",
    "contact_unit",
    "contact_phone",
    "contact_email",
    "contact_address",
    "adjustment_note",
    "impact_assessment_no",
    "contact_rule",
    "retention_months",
)


def edit(session: Session, slug: str, new: NewConsultation, actor: Actor, now: datetime) -> tuple[str, ...]:
    """Change what a consultation that is not published yet says; return the names of what changed.

    Its address and short code stay, because drafts and numbers hang on them. Whoever changes it is an editor
    from then on and may not publish it (C00).

    Raises:
        NotFound: there is no such consultation.
        IllegalTransition: it is published; only its period can be extended then (R-07, R-08).
        FieldErrors: with every field that needs attention.
    """
    consultation = session.scalar(select(Consultation).where(Consultation.slug == slug).with_for_update())
    if consultation is None:
        raise NotFound(object="consultation")
    state = ConsultationState(consultation.stage)
    if state is not ConsultationState.DRAFT:
        raise IllegalTransition(state, "edit", available_consultation_actions(state))
    problems: dict[str, list[DomainError]] = {}
    _check_words(replace(new, slug=consultation.slug, short_code=consultation.short_code), problems)
    if problems:
        raise FieldErrors(problems)
    changed = []
    for name in _EDITABLE:
        value = getattr(new, name)
        value = value.strip() if isinstance(value, str) else value
        if getattr(consultation, name) != value:
            setattr(consultation, name, value)
            changed.append(name)
    if changed:
        events.append_to_consultation(
            session, consultation, "edit", actor, now, before=state, after=state, detail={"fields": changed}
        )
    session.flush()
    return tuple(changed)


def _check_words(new: NewConsultation, problems: dict[str, list[DomainError]]) -> None:
    def wrong(name: str, error: DomainError) -> None:
        problems.setdefault(name, []).append(error)

    if not _SLUG.fullmatch(new.slug):
        wrong("slug", Refused("slug_malformed", field="slug"))
    if not _SHORT_CODE.fullmatch(new.short_code):
        wrong("short_code", Refused("short_code_malformed", field="short_code"))
    if not new.title.strip():
        wrong("title", Refused("title_required", field="title"))
    if len(new.title) > 200:
        wrong("title", Refused("title_too_long", field="title", maximum=200))
    if new.ends_on < new.starts_on:
        wrong("ends_on", PeriodReversed(field="ends_on", start=new.starts_on, end=new.ends_on))
    if not 1 <= new.retention_months <= 12:
        wrong("retention_months", Refused("retention_malformed", field="retention_months"))
    if new.contact_rule not in _CONTACT_RULES:
        wrong("contact_rule", Refused("contact_rule_malformed", field="contact_rule"))
    if new.contact_email.strip() and not _EMAIL.fullmatch(new.contact_email.strip()):
        wrong("contact_email", Refused("email_malformed", field="contact_email"))


def _owner(session: Session, name: str, problems: dict[str, list[DomainError]]) -> int | None:
    try:
        unit = units.find_unit(session, name)
    except UnitUnknown:
        problems.setdefault("owner_unit", []).append(UnitUnknown(field="owner_unit", unit=name))
        return None
    if unit.is_group:
        problems.setdefault("owner_unit", []).append(GroupNotAssignable(field="owner_unit", unit=unit.short_name))
    return unit.id


def _check_free(session: Session, new: NewConsultation, problems: dict[str, list[DomainError]]) -> None:
    if session.scalar(select(Consultation.id).where(Consultation.slug == new.slug)) is not None:
        problems.setdefault("slug", []).append(Refused("slug_taken", field="slug", slug=new.slug))
    if session.scalar(select(Consultation.id).where(Consultation.short_code == new.short_code)) is not None:
        problems.setdefault("short_code", []).append(
            Refused("short_code_taken", field="short_code", short_code=new.short_code)
        )


# -- publishing ------------------------------------------------------------------------------------


def check_publication(
    session: Session,
    slug: str,
    signer_person: str,
    editor_persons: Collection[str],
    calendar: WorkCalendar,
    now: datetime,
    correction_note: str = "",
) -> PublicationCheck:
    """Tell what stands against publishing the version in work now; reads only.

    `editor_persons` are the keys of the natural persons behind `editor_ids`.

    Raises:
        NotFound: no such consultation.
    """
    consultation = _find(session, slug)
    return _check(session, consultation, signer_person, editor_persons, calendar, now, correction_note)


def editor_ids(session: Session, slug: str) -> frozenset[int]:
    """Return the accounts that made the consultation or imported the version in work, as far as they are known.

    Raises:
        NotFound: no such consultation.
    """
    consultation = _find(session, slug)
    found = {consultation.created_by} if consultation.stage == ConsultationState.DRAFT else set()
    found |= set(
        session.scalars(
            select(DraftVersion.imported_by).where(
                DraftVersion.consultation_id == consultation.id, DraftVersion.state == "editing"
            )
        )
    )
    # Whoever imported an earlier try of this version edited it too, although that try is gone.
    found |= set(
        session.scalars(
            select(ConsultationEvent.actor_id).where(
                ConsultationEvent.consultation_id == consultation.id,
                ConsultationEvent.kind.in_(("import_draft", "edit")),
                ConsultationEvent.at > (_last_publication(session, consultation.id) or _BEFORE_EVERYTHING),
            )
        )
    )
    return frozenset(one for one in found if one is not None)


def publish(
    session: Session,
    slug: str,
    signer: Signer,
    editor_persons: Collection[str],
    calendar: WorkCalendar,
    now: datetime,
    correction_note: str = "",
) -> Published:
    """Publish the version in work: the consultation's first (C00), or a further one with its note (R-11).

    The first publication fixes the period; one that comes late counts from the day it comes (R-02).

    Raises:
        NotFound: no such consultation.
        PublicationRefused: with every reason.
        IllegalTransition: it is archived.
    """
    consultation = _lock(session, slug)
    check = _check(session, consultation, signer.person_key, editor_persons, calendar, now, correction_note)
    if check.refusals or check.number is None:
        raise PublicationRefused(check.refusals)
    version = _in_work(session, consultation.id)
    if version is None:
        raise PublicationRefused([NothingToPublish()])
    version.state, version.published_at = "published", now
    version.correction_note = "" if check.first else correction_note.strip()
    before = _state(consultation, now)
    if check.first:
        next_consultation_state(ConsultationState(consultation.stage), ConsultationAction.PUBLISH)
        consultation.stage = ConsultationState.NOT_STARTED
        consultation.starts_on = check.starts_on
        consultation.published_at, consultation.published_by = now, signer.actor.id
    events.append_to_consultation(
        session,
        consultation,
        "publish" if check.first else "publish_version",
        signer.actor,
        now,
        before=before,
        after=_state(consultation, now),
        reason=version.correction_note,
        detail={"version": version.number, "source": version.source_sha256, **_period(consultation)},
    )
    session.flush()
    return Published(version.number, check.first, consultation.starts_on, consultation.ends_on)


def _check(
    session: Session,
    consultation: Consultation,
    signer_person: str,
    editor_persons: Collection[str],
    calendar: WorkCalendar,
    now: datetime,
    correction_note: str,
) -> PublicationCheck:
    if consultation.stage == ConsultationState.ARCHIVED:
        raise IllegalTransition(ConsultationState.ARCHIVED, ConsultationAction.PUBLISH)
    first = consultation.stage == ConsultationState.DRAFT
    today = local_day(now)
    version = _in_work(session, consultation.id)
    imported = version is not None and bool(version.source_sha256) and _has_sections(session, version.id)
    refusals: list[DomainError] = []
    period = None
    if first:
        period = period_check(
            published_on=today,
            start=consultation.starts_on,
            end=consultation.ends_on,
            calendar=calendar,
            shortened=consultation.shortened,
            shortening_reason=consultation.shortening_reason,
        )
        refusals += missing_refusals(_parts(consultation, imported))
        refusals += period.refusals
    elif not imported:
        refusals.append(NothingToPublish())
    binding = _binding_changed(session, version.id) if version is not None and imported else ()
    if binding and not consultation.adjustment_note.strip():
        refusals.append(AdjustmentNoteRequired(indicators=binding))
    refusals += note_refusals(first, correction_note)
    refusals += editor_refusals(signer_person, editor_persons)
    return PublicationCheck(
        number=version.number if version is not None and imported else None,
        first=first,
        published_on=today,
        starts_on=max(consultation.starts_on, today) if first else consultation.starts_on,
        ends_on=consultation.ends_on,
        period=period,
        binding=binding,
        refusals=tuple(refusals),
    )


def _parts(consultation: Consultation, imported: bool) -> PartsPresent:
    return PartsPresent(
        draft=imported,
        drafting_note=bool(consultation.drafting_note.strip()),
        method=bool(consultation.how_to_comment.strip()),
        period=True,
        contact_unit=bool(consultation.contact_unit.strip()),
        contact_way=any(
            text.strip()
            for text in (consultation.contact_phone, consultation.contact_email, consultation.contact_address)
        ),
    )


def _has_sections(session: Session, version_id: int) -> bool:
    return (
        session.scalar(select(SectionVersion.id).where(SectionVersion.draft_version_id == version_id).limit(1))
        is not None
    )


def _binding_changed(session: Session, version_id: int) -> tuple[str, ...]:
    """Binding indicators the chapter 调整方案 changes, by its words or by the items linked to it (R-115)."""
    about = [
        row_id
        for row_id, path in session.execute(
            select(SectionVersion.id, SectionVersion.path).where(SectionVersion.draft_version_id == version_id)
        )
        if "调整方案" in path
    ]
    if not about:
        return ()
    binding = (PlanItem.kind == "indicator", PlanItem.category == "约束性")
    titles = session.scalars(select(PlanItem.title).where(*binding).order_by(PlanItem.position)).all()
    texts = session.scalars(
        select(Block.text).where(Block.section_version_id.in_(about)).order_by(Block.section_version_id, Block.position)
    ).all()
    linked = session.scalars(
        select(PlanItem.title)
        .join(SectionItem, SectionItem.item_id == PlanItem.id)
        .where(SectionItem.section_version_id.in_(about), *binding)
        .order_by(PlanItem.position)
    ).all()
    return tuple(dict.fromkeys([*linked, *binding_indicators_changed(texts, titles)]))


# -- afterwards ------------------------------------------------------------------------------------


def extend(
    session: Session, slug: str, new_end: date, reason: str, actor: Actor, now: datetime, notice_no: str = ""
) -> None:
    """Make the period longer before it ends; every extension is kept (R-07, R-08; C03, C04).

    Raises:
        NotFound: no such consultation.
        IllegalTransition: it is not published, or past collecting.
        ExtensionAfterEnd, ExtensionNotLonger: R-07.
        FieldErrors: the reason is missing.
    """
    consultation = _lock(session, slug)
    state = _state(consultation, now)
    if state is ConsultationState.ENDED:
        check_extension(consultation.ends_on, new_end, now)
    if ConsultationAction.EXTEND not in available_consultation_actions(state):
        raise IllegalTransition(state, ConsultationAction.EXTEND, available_consultation_actions(state))
    check_extension(consultation.ends_on, new_end, now)
    if len("".join(reason.split())) < REASON_MINIMUM:
        raise FieldErrors({"reason": [Refused("extension_reason_required", field="reason", minimum=REASON_MINIMUM)]})
    old_end = consultation.ends_on
    consultation.ends_on = new_end
    session.add(
        PeriodExtension(
            consultation_id=consultation.id,
            old_end=old_end,
            new_end=new_end,
            reason=reason.strip(),
            notice_no=notice_no.strip(),
            decided_by=actor.id,
            decided_at=now,
        )
    )
    events.append_to_consultation(
        session,
        consultation,
        "extend",
        actor,
        now,
        before=state,
        after=_state(consultation, now),
        reason=reason.strip(),
        detail={"old_end": old_end.isoformat(), "new_end": new_end.isoformat(), "notice_no": notice_no.strip()},
    )
    session.flush()


def start_collating(session: Session, slug: str, waiting: int, actor: Actor, now: datetime) -> None:
    """Turn an ended consultation to collating (C05). `waiting` is how many comments still wait, for the record.

    Raises:
        NotFound: no such consultation.
        IllegalTransition: it has not ended, or was turned already (R-13).
    """
    consultation = _lock(session, slug)
    before = _state(consultation, now)
    after = next_consultation_state(before, ConsultationAction.START_COLLATING)
    consultation.stage, consultation.collating_since = after, now
    events.append_to_consultation(
        session, consultation, "start_collating", actor, now, before=before, after=after, detail={"waiting": waiting}
    )
    session.flush()


# -- small things ----------------------------------------------------------------------------------


def _last_publication(session: Session, consultation_id: int) -> datetime | None:
    return session.scalar(
        select(DraftVersion.published_at)
        .where(DraftVersion.consultation_id == consultation_id, DraftVersion.state == "published")
        .order_by(DraftVersion.number.desc())
        .limit(1)
    )


def _find(session: Session, slug: str) -> Consultation:
    found = session.scalar(select(Consultation).where(Consultation.slug == slug))
    if found is None:
        raise NotFound(object="consultation")
    return found


def _lock(session: Session, slug: str) -> Consultation:
    found = session.scalar(select(Consultation).where(Consultation.slug == slug).with_for_update())
    if found is None:
        raise NotFound(object="consultation")
    return found


def _in_work(session: Session, consultation_id: int) -> DraftVersion | None:
    return session.scalar(
        select(DraftVersion).where(DraftVersion.consultation_id == consultation_id, DraftVersion.state == "editing")
    )


def _state(consultation: Consultation, now: datetime) -> ConsultationState:
    window = opening_window(consultation.starts_on, consultation.ends_on)
    return current_state(ConsultationState(consultation.stage), window, now)


def _period(consultation: Consultation) -> dict[str, object]:
    return {"starts_on": consultation.starts_on.isoformat(), "ends_on": consultation.ends_on.isoformat()}
