"""Which unit should probably lead, and why: words of the comment, the section's default, the plan item (R-56, R-112).

A suggestion only; a person routes (R-43). Groups are never suggested: the towns among their members that a comment
names are (R-57).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from consult.domain.comment_states import CommentState
from consult.models.comments import Comment
from consult.models.consultations import Consultation, SectionItem, SectionVersion
from consult.models.plan import PlanItem, PlanItemUnit, Unit
from moderation.domain.suggestions import Reason, ReasonKind, UnitSuggestion
from moderation.queries.accused import accused_units
from moderation.queries.suggester_plan import PreparedPlan, prepared

SURE = 5.0
SURE_BY = 2.0
"""A first unit this strong, and this many times as strong as the second, led 96 of 100 labelled comments."""

AGREES = 0.5
"""Share of the strongest score from which the section's default lead counts as confirmed by the words."""

LIMIT = 9
"""Units suggested: one key each."""

_WORDS_SHOWN = 3
_OPEN = (
    CommentState.ASSIGNED,
    CommentState.IN_PROGRESS,
    CommentState.RETURN_REQUESTED,
    CommentState.PENDING_SIGN_OFF,
)


@dataclass(frozen=True)
class Why:
    """One ground: `kind` and what it names, an item's title, a word of the comment, or nothing.

    `kind` is `item` (the plan item the comment names), `alike` (an item whose words it shares), `section_given` (the
    list imported with the draft), `section_items` (the section's plan items), `section_item` (one of them), `section`,
    `unit_named`, `town_named`, `words` (everyday words), `owner` (who runs the consultation).
    """

    kind: str
    detail: str = ""


@dataclass(frozen=True)
class SuggestedUnit:
    """A unit and why it is suggested, strongest ground first.

    `role` is lead or co, as the responsibility table has it; `confidence` is high, co or low.
    """

    unit_id: int
    code: str
    name: str
    role: str
    reasons: tuple[Why, ...] = ()
    confidence: str = "co"

    @property
    def reason(self) -> str:
        """The strongest ground, for the record."""
        return self.reasons[0].kind if self.reasons else ""


@dataclass(frozen=True)
class UnitLoad:
    """What a unit has in hand as lead, and how much of it is overdue."""

    open_items: int = 0
    overdue: int = 0


_SECTION_REASONS: Mapping[str, str] = {"owner": "owner", "items": "section_items"}
_KINDS: Mapping[ReasonKind, str] = {
    ReasonKind.ITEM: "alike",
    ReasonKind.SECTION: "section",
    ReasonKind.UNIT_NAMED: "unit_named",
    ReasonKind.TOWN_NAMED: "town_named",
    ReasonKind.WORDS: "words",
    ReasonKind.FALLBACK: "owner",
}


def suggested_lead(session: Session, comment: Comment) -> SuggestedUnit | None:
    """Return the first unit suggested as lead."""
    found = suggest(session, comment)
    return found[0] if found else None


def suggest(session: Session, comment: Comment) -> tuple[SuggestedUnit, ...]:
    """Return suggested units, best first, each once, at most nine; a handful of queries whatever the answer.

    The lead of the item the comment names comes first, then the section's default lead when the words agree with it,
    then the words, with the section's default lead in the second place at the latest.
    """
    plan = prepared(session, comment.consultation_id, _draft_version(session, comment.section_version_id))
    items = _item_units(session, comment.section_version_id, comment.item_id)
    default = _section_default(session, comment.section_version_id)
    answer = plan.suggester.suggest(comment.body, plan.heading(comment.section_version_id), LIMIT).units
    by_words = _from_words(plan, answer)
    strongest = max((one.score for one in answer), default=0.0)
    scores = {one.code: one.score for one in answer}
    named = [one for one in items if one.reason == "item" and one.role == "lead"][:1]
    agreed = default is not None and strongest > 0 and scores.get(default.code, 0.0) >= AGREES * strongest
    ordered = [*named]
    if default is not None and agreed:
        ordered.append(default)
    ordered += by_words[:1]
    if default is not None:
        ordered.append(default)
    ordered += [*by_words[1:], *items]
    owner = _owner(session, comment.consultation_id)
    if owner is not None and not ordered:
        ordered.append(owner)
    accused = accused_units(session, comment)
    usable = [one for one in ordered if one.unit_id not in accused]
    return _rated(_each_once(usable), answer, sure=bool(named) or (agreed and len(answer) > 0))


def load(session: Session, today: date) -> dict[str, UnitLoad]:
    """Return what every unit has in hand, by its code; one query over what is open."""
    rows = session.execute(
        select(Unit.code, func.count(), func.sum(case((Comment.reply_due_on < today, 1), else_=0)))
        .join(Comment, Comment.lead_unit_id == Unit.id)
        .where(Comment.handling_state.in_([state.value for state in _OPEN]))
        .group_by(Unit.code)
    )
    return {code: UnitLoad(int(n), int(late or 0)) for code, n, late in rows}


def _each_once(found: list[SuggestedUnit]) -> list[SuggestedUnit]:
    """Keep the first place of every unit and all its grounds."""
    kept: dict[str, SuggestedUnit] = {}
    for one in found:
        before = kept.get(one.code)
        kept[one.code] = (
            one if before is None else replace(before, reasons=tuple(dict.fromkeys((*before.reasons, *one.reasons))))
        )
    return list(kept.values())[:LIMIT]


def _rated(found: list[SuggestedUnit], answer: tuple[UnitSuggestion, ...], *, sure: bool) -> tuple[SuggestedUnit, ...]:
    """Say how sure each is: the first by its lead over the second, others as co-units or hardly at all."""
    scores = {one.code: one.score for one in answer}
    first, second = (*sorted(scores.values(), reverse=True), 0.0, 0.0)[:2]
    out = []
    for place, one in enumerate(found):
        score = scores.get(one.code, 0.0)
        if place == 0:
            strong = score == first and first >= SURE and first >= SURE_BY * second
            level = "high" if sure or strong else "low"
        else:
            from_item = any(why.kind in ("item", "section_given", "section_items") for why in one.reasons)
            level = "co" if from_item or (first > 0 and score >= 0.2 * first) else "low"
        out.append(replace(one, confidence=level))
    return tuple(out)


def _from_words(plan: PreparedPlan, answer: tuple[UnitSuggestion, ...]) -> list[SuggestedUnit]:
    found = []
    for one in answer:
        if one.code not in plan.units:
            continue
        unit_id, name = plan.units[one.code]
        reasons = tuple(dict.fromkeys(_why(plan, reason) for reason in one.reasons))
        found.append(SuggestedUnit(unit_id, one.code, name, "lead", reasons[:_WORDS_SHOWN]))
    return found


def _why(plan: PreparedPlan, reason: Reason) -> Why:
    kind = _KINDS[reason.kind]
    if reason.kind is ReasonKind.ITEM:
        return Why(kind, plan.titles.get(reason.detail, reason.detail))
    return Why(kind, "" if kind in ("section", "owner") else reason.detail)


def _draft_version(session: Session, section_version_id: int | None) -> int | None:
    if section_version_id is None:
        return None
    return session.scalar(select(SectionVersion.draft_version_id).where(SectionVersion.id == section_version_id))


def _item_units(session: Session, section_version_id: int | None, item_id: int | None) -> list[SuggestedUnit]:
    in_section = select(SectionItem.item_id).where(SectionItem.section_version_id == section_version_id)
    rows = session.execute(
        select(PlanItem.id, PlanItem.title, PlanItemUnit.role, Unit.id, Unit.code, Unit.short_name)
        .join(PlanItemUnit, PlanItemUnit.item_id == PlanItem.id)
        .join(Unit, Unit.id == PlanItemUnit.unit_id)
        .where((PlanItem.id == item_id) | PlanItem.id.in_(in_section), Unit.assignable)
        .order_by(PlanItem.id != (item_id or 0), PlanItem.position, PlanItem.id, PlanItemUnit.position)
        .limit(40)
    ).all()
    return [
        SuggestedUnit(
            unit_id,
            code,
            name,
            "lead" if role == "lead" else "co",
            (Why("item" if row_item == item_id else "section_item", title),),
        )
        for row_item, title, role, unit_id, code, name in rows
    ]


def _section_default(session: Session, section_version_id: int | None) -> SuggestedUnit | None:
    row = session.execute(
        select(Unit.id, Unit.code, Unit.short_name, SectionVersion.default_lead_reason)
        .join(SectionVersion, SectionVersion.default_lead_unit_id == Unit.id)
        .where(SectionVersion.id == section_version_id, Unit.assignable)
    ).first()
    if row is None:
        return None
    unit_id, code, name, why = row
    return SuggestedUnit(unit_id, code, name, "lead", (Why(_SECTION_REASONS.get(why, "section_given")),))


def _owner(session: Session, consultation_id: int) -> SuggestedUnit | None:
    row = session.execute(
        select(Unit.id, Unit.code, Unit.short_name)
        .join(Consultation, Consultation.owner_unit_id == Unit.id)
        .where(Consultation.id == consultation_id, Unit.assignable)
    ).first()
    return None if row is None else SuggestedUnit(row[0], row[1], row[2], "lead", (Why("owner"),))
