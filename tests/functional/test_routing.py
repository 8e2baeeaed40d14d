"""Routing: one lead, the clock, receipt, handing back, extension, designation, co-units, what runs by itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from consult.db import Store
from consult.domain.calendar import BEIJING, WorkCalendar, end_of_day
from consult.domain.errors import (
    ChangedMeanwhile,
    DomainError,
    FieldErrors,
    IllegalTransition,
    NotAllowed,
    NotFound,
    NotLeadUnit,
)
from consult.models.comments import Assignment, CoAssignment, Comment, Outbox
from moderation.domain.routing import ReturnRequest
from moderation.models import StaffMember
from moderation.services import returns, routing, screening
from moderation.services.routing import Designation, Routing
from moderation.services.screening import Proposal
from tests.support import casework
from tests.support.casework import get, kinds, version
from tests.support.factories import CALENDAR, World, make_comment, make_world

MONDAY = datetime(2023, 7, 17, 2, 0, tzinfo=UTC)
"""The routing day of the domain's vectors: receipt 07-18, return 07-24, reply 07-26, extended 08-07."""

RETURN = ReturnRequest("other_unit_leads", "该事项由房管部门负责", "三定方案第五条", "FGJ")


@pytest.fixture
def world(store: Store) -> World:
    with store.writing() as session:
        return make_world(session, MONDAY)


@pytest.fixture
def ref(store: Store, world: World) -> str:
    with store.writing() as session:
        receipt_no = make_comment(session, world, MONDAY).receipt_no
        casework.to_assign(session, world, receipt_no, MONDAY)
        return receipt_no


def assign(session: Session, world: World, ref: str, wanted: Routing, now: datetime = MONDAY) -> Assignment:
    return routing.assign(session, world.viewer("assigner"), ref, version(session, ref), wanted, CALENDAR, now)


def test_r59_the_clock_starts_with_the_routing_and_sets_three_days(store: Store, world: World, ref: str) -> None:
    with store.writing() as session:
        assign(session, world, ref, Routing("JTW", ("JGW",), "请一并研究"))
    with store.reading() as session:
        row = session.scalars(select(Assignment)).one()
        assert (row.receipt_due_on, row.return_due_on, row.reply_due_on) == (
            date(2023, 7, 18),
            date(2023, 7, 24),
            date(2023, 7, 26),
        )
        comment = get(session, ref)
        assert (comment.lead_unit_id, comment.assigned_at, comment.reply_due_on) == (
            world.units["JTW"],
            MONDAY,
            date(2023, 7, 26),
        )
        co = session.scalars(select(CoAssignment)).one()
        assert (co.unit_id, co.due_on) == (world.units["JGW"], date(2023, 7, 24))
        told = {(row.kind, row.unit_id): row.params for row in session.scalars(select(Outbox))}
        assert told["assigned", None]["due"] == "2023-07-26"
        assert told["unit_assigned", world.units["JTW"]]["return_by"] == "2023-07-24"
        assert told["co_assigned", world.units["JGW"]] == {"lead_unit": "区交通委", "due": "2023-07-24"}


def test_r59_signing_late_does_not_move_the_due_day(store: Store, world: World, ref: str) -> None:
    with store.writing() as session:
        assign(session, world, ref, Routing("JTW"))
        late = MONDAY + timedelta(days=3)
        routing.sign_receipt(session, world.viewer("jtw_officer"), ref, version(session, ref), late)
    with store.reading() as session:
        assert get(session, ref).reply_due_on == date(2023, 7, 26)
        assert session.scalars(select(Assignment.receipted_at)).one() == late


def test_r61_a_due_day_in_a_year_without_notice_is_left_open_and_the_year_is_told(store: Store) -> None:
    late = datetime(2026, 12, 28, 2, 0, tzinfo=UTC)
    with store.writing() as session:
        world = make_world(session, MONDAY)
        ref = make_comment(session, world, MONDAY).receipt_no
        casework.to_assign(session, world, ref, MONDAY)
        assign(session, world, ref, Routing("JTW"), late)
    with store.reading() as session:
        row = session.scalars(select(Assignment)).one()
        assert (row.receipt_due_on, row.reply_due_on, row.pending_year) == (date(2026, 12, 29), None, 2027)
        assert get(session, ref).reply_due_on is None


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (Routing(None), "lead_unit_required"),
        (Routing("JTW", ("JTW",)), "lead_in_co_units"),
        (Routing("JTW", ("JGW", "JGW")), "duplicate_co_unit"),
        (Routing("GJZ"), "group_not_assignable"),
        (Routing("NOPE"), "unit_unknown"),
        (Routing("XCB"), "unit_without_officer"),
    ],
)
def test_r55_r57_r97_a_routing_that_breaks_a_rule_is_refused(
    store: Store, world: World, ref: str, wanted: Routing, code: str
) -> None:
    with pytest.raises(DomainError, match=code), store.writing() as session:
        assign(session, world, ref, wanted)
    with store.reading() as session:
        assert get(session, ref).handling_state == "to_assign"
        assert session.scalars(select(Assignment)).all() == []


def test_several_refusals_of_one_routing_come_together(store: Store, world: World, ref: str) -> None:
    with pytest.raises(FieldErrors) as caught, store.writing() as session:
        assign(session, world, ref, Routing(None, ("NOPE",)))
    assert caught.value.codes() == {"lead_unit": ["lead_unit_required"], "co_units": ["unit_unknown"]}


def test_r57_a_group_among_the_co_units_becomes_its_members(store: Store, world: World, ref: str) -> None:
    with store.writing() as session:
        session.execute(
            update(StaffMember).where(StaffMember.username == "jgw_officer").values(unit_id=world.units["PJZ"])
        )
        assign(session, world, ref, Routing("MQZ", ("GJZ",)))
    with store.reading() as session:
        assert session.scalars(select(CoAssignment.unit_id)).all() == [world.units["PJZ"]]


def test_r97_a_unit_whose_only_officer_is_disabled_cannot_lead(store: Store, world: World, ref: str) -> None:
    with store.writing() as session:
        session.execute(update(StaffMember).where(StaffMember.username == "fgj_officer").values(active=False))
    with pytest.raises(DomainError, match="unit_without_officer"), store.writing() as session:
        assign(session, world, ref, Routing("FGJ"))


def test_r42_a_comment_is_never_routed_to_the_unit_it_accuses(store: Store, world: World, ref: str) -> None:
    with store.writing() as session:
        proposal = Proposal("withhold", "accusation", accused_units=("JTW",))
        screening.propose(session, world.viewer("reviewer"), ref, version(session, ref), proposal, MONDAY)
    for wanted in (Routing("JTW"), Routing("FGJ", ("JTW",))):
        with pytest.raises(DomainError, match="accused_unit"), store.writing() as session:
            assign(session, world, ref, wanted)


def test_r91_of_two_who_route_at_once_one_wins_and_one_assignment_exists(store: Store, world: World, ref: str) -> None:
    with store.reading() as session:
        seen = version(session, ref)
    with store.writing() as session:
        routing.assign(session, world.viewer("assigner"), ref, seen, Routing("JTW"), CALENDAR, MONDAY)
    with pytest.raises(ChangedMeanwhile), store.writing() as session:
        routing.assign(session, world.viewer("moderator"), ref, seen, Routing("FGJ"), CALENDAR, MONDAY)
    with store.reading() as session:
        assert session.scalars(select(Assignment.lead_unit_id)).all() == [world.units["JTW"]]


def test_r55_the_store_itself_refuses_a_second_lead_in_force(store: Store, world: World, ref: str) -> None:
    with store.writing() as session:
        assign(session, world, ref, Routing("JTW"))
    with pytest.raises(IntegrityError), store.writing() as session:
        session.add(
            Assignment(comment_id=get(session, ref).id, number=2, lead_unit_id=world.units["FGJ"], assigned_at=MONDAY)
        )


# -- receipt ---------------------------------------------------------------------------------------


def test_t12_an_unsigned_comment_counts_as_received_after_its_day_and_only_once(
    store: Store, world: World, ref: str
) -> None:
    with store.writing() as session:
        assign(session, world, ref, Routing("JTW"))
    last_moment = end_of_day(date(2023, 7, 18))
    with store.writing() as session:
        assert routing.auto_receipts(session, last_moment - timedelta(seconds=1)) == 0
    with store.writing() as session:
        assert routing.auto_receipts(session, last_moment) == 1
    with store.writing() as session:
        assert routing.auto_receipts(session, last_moment) == 0
    with store.reading() as session:
        comment = get(session, ref)
        assert comment.handling_state == "in_progress"
        assert comment.reply_due_on == date(2023, 7, 26)
        assert session.scalars(select(Assignment.auto_receipt)).one()
        assert kinds(session, ref)[-1] == "auto_receipt"


def test_r93_another_unit_does_not_see_it_and_a_co_unit_may_not_lead(store: Store, world: World, ref: str) -> None:
    with store.writing() as session:
        assign(session, world, ref, Routing("JTW", ("JGW",)))
    for who, error in (("fgj_officer", NotFound), ("jgw_officer", NotLeadUnit), ("jtw_leader", NotAllowed)):
        with pytest.raises(error), store.writing() as session:
            routing.sign_receipt(session, world.viewer(who), ref, version(session, ref), MONDAY)


# -- handing back ----------------------------------------------------------------------------------


def ask_return(session: Session, world: World, ref: str, now: datetime, request: ReturnRequest = RETURN) -> None:
    returns.request_return(session, world.viewer("jtw_leader"), ref, version(session, ref), request, now)


def test_r67_a_return_is_possible_until_the_fifth_working_day_ends(store: Store, world: World, ref: str) -> None:
    with store.writing() as session:
        assign(session, world, ref, Routing("JTW"))
    closes = end_of_day(date(2023, 7, 24))
    with pytest.raises(DomainError, match="return_window_closed"), store.writing() as session:
        ask_return(session, world, ref, closes)
    with store.writing() as session:
        ask_return(session, world, ref, closes - timedelta(seconds=1))
    with store.reading() as session:
        comment = get(session, ref)
        # Asking alone changes neither the responsible unit nor its clock.
        assert (comment.handling_state, comment.lead_unit_id) == ("return_requested", world.units["JTW"])
        assert comment.reply_due_on == date(2023, 7, 26)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (ReturnRequest("", "", "依据"), "return_reason_required"),
        (ReturnRequest("other", "不归我管", "依据"), "return_reason_required"),
        (ReturnRequest("not_our_duty", "说明", ""), "return_basis_required"),
        (ReturnRequest("other_unit_leads", "说明", "依据", "NOPE"), "unit_unknown"),
    ],
)
def test_r68_a_return_needs_a_reason_of_the_list_and_its_basis(
    store: Store, world: World, ref: str, request_: ReturnRequest, code: str
) -> None:
    with store.writing() as session:
        assign(session, world, ref, Routing("JTW"))
    with pytest.raises(DomainError, match=code), store.writing() as session:
        ask_return(session, world, ref, MONDAY, request_)


def test_t15_an_approved_return_ends_the_routing_and_the_units_sight(store: Store, world: World, ref: str) -> None:
    with store.writing() as session:
        assign(session, world, ref, Routing("JTW"))
        ask_return(session, world, ref, MONDAY)
        returns.approve_return(session, world.viewer("assigner"), ref, version(session, ref), MONDAY)
    with store.reading() as session:
        comment = get(session, ref)
        assert (comment.handling_state, comment.return_count, comment.lead_unit_id) == ("to_assign", 1, None)
        assert comment.suggested_lead_id == world.units["FGJ"]
        row = session.scalars(select(Assignment)).one()
        assert (row.closed_at, row.closed_why) == (MONDAY, "returned")
    with pytest.raises(NotFound), store.writing() as session:
        routing.sign_receipt(session, world.viewer("jtw_officer"), ref, 1, MONDAY)


def test_t16_a_refused_return_goes_on_with_the_same_due_day_and_needs_a_reason(
    store: Store, world: World, ref: str
) -> None:
    with store.writing() as session:
        assign(session, world, ref, Routing("JTW"))
        ask_return(session, world, ref, MONDAY)
    with pytest.raises(DomainError, match="reason_required"), store.writing() as session:
        returns.refuse_return(session, world.viewer("assigner"), ref, version(session, ref), " ", MONDAY)
    with store.writing() as session:
        returns.refuse_return(session, world.viewer("assigner"), ref, version(session, ref), "属你单位职责", MONDAY)
    with store.reading() as session:
        comment = get(session, ref)
        assert (comment.handling_state, comment.reply_due_on, comment.return_count) == (
            "in_progress",
            date(2023, 7, 26),
            0,
        )


def test_r69_after_two_returns_only_a_designation_works_and_it_cannot_be_handed_back(
    store: Store, world: World, ref: str
) -> None:
    for _ in range(2):
        with store.writing() as session:
            assign(session, world, ref, Routing("JTW"))
            ask_return(session, world, ref, MONDAY)
            returns.approve_return(session, world.viewer("assigner"), ref, version(session, ref), MONDAY)
    with pytest.raises(DomainError, match="designate_required"), store.writing() as session:
        assign(session, world, ref, Routing("FGJ"))
    with store.writing() as session:
        made = routing.designate(
            session,
            world.viewer("supervisor"),
            ref,
            version(session, ref),
            Designation(Routing("JTW"), "区政府办协调会纪要"),
            CALENDAR,
            MONDAY,
        )
        assert (made.number, made.designated, made.basis) == (3, True, "区政府办协调会纪要")
    with pytest.raises(DomainError, match="designated_not_returnable"), store.writing() as session:
        ask_return(session, world, ref, MONDAY)


@pytest.mark.parametrize(
    ("basis", "dispute", "code"),
    [("依据", "", "designation_not_due"), ("", "两单位书面意见不一", "designation_basis_required")],
)
def test_t10_a_designation_needs_two_returns_or_a_recorded_dispute_and_a_basis(
    store: Store, world: World, ref: str, basis: str, dispute: str, code: str
) -> None:
    with pytest.raises(DomainError, match=code), store.writing() as session:
        routing.designate(
            session,
            world.viewer("supervisor"),
            ref,
            version(session, ref),
            Designation(Routing("JTW"), basis, dispute),
            CALENDAR,
            MONDAY,
        )


def test_r70_a_second_routing_starts_a_new_clock_and_is_told_as_a_change(store: Store, world: World, ref: str) -> None:
    later = MONDAY + timedelta(days=4)
    with store.writing() as session:
        assign(session, world, ref, Routing("JTW"))
        ask_return(session, world, ref, MONDAY)
        returns.approve_return(session, world.viewer("assigner"), ref, version(session, ref), later)
        assign(session, world, ref, Routing("FGJ"), later)
    with store.reading() as session:
        assert get(session, ref).reply_due_on == CALENDAR.nth_working_day(later.astimezone(BEIJING).date(), 7)
        assert "reassigned" in session.scalars(select(Outbox.kind)).all()
        assert session.scalars(select(Assignment.number).order_by(Assignment.number)).all() == [1, 2]


# -- extension -------------------------------------------------------------------------------------


def ask_extension(session: Session, world: World, ref: str, now: datetime = MONDAY, reason: str = "需会商") -> None:
    returns.request_extension(session, world.viewer("jtw_officer"), ref, version(session, ref), reason, now)


@pytest.fixture
def handled(store: Store, world: World, ref: str) -> str:
    with store.writing() as session:
        casework.assign(session, world, ref, MONDAY, "JTW", ("JGW",))
        routing.sign_receipt(session, world.viewer("jtw_officer"), ref, version(session, ref), MONDAY)
    return ref


def test_r65_an_approved_extension_ends_on_the_fifteenth_working_day_from_the_routing(
    store: Store, world: World, handled: str
) -> None:
    with store.writing() as session:
        ask_extension(session, world, handled, MONDAY + timedelta(days=5))
        assert get(session, handled).reply_due_on == date(2023, 7, 26)
        returns.approve_extension(
            session, world.viewer("assigner"), handled, version(session, handled), CALENDAR, MONDAY + timedelta(days=6)
        )
    with store.reading() as session:
        comment = get(session, handled)
        assert (comment.handling_state, comment.reply_due_on) == ("in_progress", date(2023, 8, 7))
        assert session.scalars(select(CoAssignment.due_on)).one() == date(2023, 8, 3)
        assert kinds(session, handled)[-2:] == ["request_extension", "approve_extension"]
        told = session.scalars(select(Outbox.params).where(Outbox.kind == "extension")).one()
        assert told["due"] == "2023-08-07"
        assert "需会商" not in str(told)


def test_r65_there_is_one_extension_only_even_after_a_refusal(store: Store, world: World, handled: str) -> None:
    with store.writing() as session:
        ask_extension(session, world, handled)
        returns.refuse_extension(
            session, world.viewer("assigner"), handled, version(session, handled), "请按期答复", MONDAY
        )
    with pytest.raises(DomainError, match="extension_once"), store.writing() as session:
        ask_extension(session, world, handled)


def test_r65_an_overdue_comment_gets_no_extension(store: Store, world: World, handled: str) -> None:
    with pytest.raises(DomainError, match="overdue_no_extension"), store.writing() as session:
        ask_extension(session, world, handled, end_of_day(date(2023, 7, 26)))


def test_t18_nothing_is_approved_that_was_not_asked(store: Store, world: World, handled: str) -> None:
    with pytest.raises(DomainError, match="extension_not_asked"), store.writing() as session:
        returns.approve_extension(
            session, world.viewer("assigner"), handled, version(session, handled), CALENDAR, MONDAY
        )


def test_r61_an_extension_into_a_year_without_notice_is_refused_not_guessed(
    store: Store, world: World, handled: str
) -> None:
    with store.writing() as session:
        ask_extension(session, world, handled)
    with pytest.raises(DomainError, match="calendar_pending"), store.writing() as session:
        returns.approve_extension(
            session, world.viewer("assigner"), handled, version(session, handled), WorkCalendar({}), MONDAY
        )


# -- co-units --------------------------------------------------------------------------------------


def test_r74_a_co_unit_answers_once_and_the_lead_is_told(store: Store, world: World, handled: str) -> None:
    officer = world.viewer("jgw_officer")
    with store.writing() as session:
        routing.co_feedback(session, officer, handled, version(session, handled), "同意增加班次", MONDAY)
    with store.reading() as session:
        row = session.scalars(select(CoAssignment)).one()
        assert (row.feedback, row.feedback_by, row.feedback_at) == ("同意增加班次", officer.staff_id, MONDAY)
        assert kinds(session, handled)[-1] == "co_feedback"
    with pytest.raises(DomainError, match="co_feedback_given"), store.writing() as session:
        routing.co_feedback(session, officer, handled, version(session, handled), "再说一次", MONDAY)
    with pytest.raises(NotAllowed), store.writing() as session:
        routing.co_feedback(session, world.viewer("jtw_officer"), handled, version(session, handled), "主办", MONDAY)


def test_r90_routing_what_is_not_waiting_for_it_is_an_illegal_step(store: Store, world: World, handled: str) -> None:
    with pytest.raises(IllegalTransition) as caught, store.writing() as session:
        assign(session, world, handled, Routing("FGJ"))
    assert "submit_reply" in caught.value.available
    with store.reading() as session:
        assert session.scalars(select(Comment.lead_unit_id)).one() == world.units["JTW"]
