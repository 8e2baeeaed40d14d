"""A small district for tests: units, one open consultation with a draft, staff in every role, comments.

`make_world` fills an empty store; `make_comment` submits one comment. Rows go in through the models, the way the
services write them: every comment has its first event and its place in the counts.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from consult.domain.calendar import WorkCalendar, build_calendar, local_day, review_due
from consult.domain.comment_states import Role, Standing
from consult.gateways.field_cipher import FieldCipher
from consult.models.comments import Comment, ContactDetails
from consult.models.consultations import (
    Block,
    CalendarDay,
    CalendarYear,
    Consultation,
    DraftVersion,
    Programme,
    Section,
    SectionItem,
    SectionVersion,
)
from consult.models.plan import PlanItem, PlanItemUnit, Unit, UnitMember
from consult.services import events, tallies
from consult.settings import DEMO_FIELD_KEY
from moderation.models import RoleGrant, StaffMember
from moderation.permissions import Grant, Viewer

NOW = datetime(2023, 7, 18, 2, 0, tzinfo=UTC)
"""Tuesday 2023-07-18 10:00 in Beijing, the second day of the consultation."""

CIPHER = FieldCipher(DEMO_FIELD_KEY)
"""The cipher an application in the test environment has, so that its pages can read what is stored here."""

SUBMITTER = {"name": "赵晓梅", "phone": "13800138000", "email": "zhao@example.com"}

_VECTORS = Path(__file__).resolve().parents[1] / "data" / "vectors.json"
_serials = itertools.count(1)

# code: name, short name, kind
UNITS: dict[str, tuple[str, str, str]] = {
    "FGW": ("闵行区发展和改革委员会", "区发改委", "department"),
    "JTW": ("闵行区交通委员会", "区交通委", "department"),
    "FGJ": ("闵行区住房保障和房屋管理局", "区房管局", "department"),
    "JGW": ("闵行区建设和管理委员会", "区建管委", "department"),
    "XCB": ("中共闵行区委宣传部", "区委宣传部", "department"),
    "MQZ": ("马桥镇人民政府", "马桥镇", "town"),
    "PJZ": ("浦江镇人民政府", "浦江镇", "town"),
    "GJZ": ("各街镇", "各街镇", "group"),
}
"""`XCB` has no officer (R-97); `GJZ` is the group of `MQZ` and `PJZ` (R-57)."""

# username: unit, roles, person (R-95: two accounts of one natural person share it)
STAFF: dict[str, tuple[str, tuple[Role, ...], str]] = {
    "reviewer": ("FGW", (Role.REVIEWER,), "p-reviewer"),
    "reviewer2": ("FGW", (Role.REVIEWER,), "p-reviewer2"),
    "reviewer_twin": ("FGW", (Role.REVIEWER,), "p-reviewer"),
    "moderator": ("FGW", (Role.REVIEWER, Role.ASSIGNER), "p-moderator"),
    "assigner": ("FGW", (Role.ASSIGNER,), "p-assigner"),
    "signer": ("FGW", (Role.SIGN_OFF_OFFICER,), "p-signer"),
    "signer_twin": ("FGW", (Role.SIGN_OFF_OFFICER,), "p-jtw-officer"),
    "supervisor": ("FGW", (Role.SUPERVISOR,), "p-supervisor"),
    "jtw_officer": ("JTW", (Role.UNIT_OFFICER,), "p-jtw-officer"),
    "jtw_officer2": ("JTW", (Role.UNIT_OFFICER,), "p-jtw-officer2"),
    "jtw_leader": ("JTW", (Role.UNIT_LEADER,), "p-jtw-leader"),
    "fgj_officer": ("FGJ", (Role.UNIT_OFFICER,), "p-fgj-officer"),
    "fgj_leader": ("FGJ", (Role.UNIT_LEADER,), "p-fgj-leader"),
    "jgw_officer": ("JGW", (Role.UNIT_OFFICER,), "p-jgw-officer"),
    "mqz_officer": ("MQZ", (Role.UNIT_OFFICER,), "p-mqz-officer"),
    "sysadmin": ("FGW", (Role.SYSADMIN,), "p-sysadmin"),
    "auditor": ("FGW", (Role.SECURITY_AUDITOR,), "p-auditor"),
}
"""`reviewer_twin` is a second account of `reviewer`; `signer_twin` is the person who also is `jtw_officer`."""

BLOCKS: dict[str, tuple[tuple[str, str], ...]] = {
    "s1": (("p1", "全区经济运行总体平稳。"), ("p2", "主要指标完成情况符合时序要求。")),
    "s2": (
        ("p3", "已开工大型居住社区和配套项目基地基本建成。"),
        ("p4", "推进既有多层住宅加装电梯工作，但管线迁移协调周期偏长的问题仍较突出。"),
        ("p5", "社区综合为老服务中心建设进度快于时序。"),
    ),
    "s3": (("p6", "优化公交线网，提高轨道站点接驳便利性。"),),
}


def work_calendar() -> WorkCalendar:
    """The published years 2022 to 2026 of the domain's vectors."""
    years = json.loads(_VECTORS.read_text("utf-8"))["calendar"]
    return build_calendar(
        {
            int(year): (
                [date.fromisoformat(day) for day in plan["weekday_off"]],
                [date.fromisoformat(day) for day in plan["weekend_on"]],
            )
            for year, plan in years.items()
        }
    )


CALENDAR = work_calendar()


@dataclass(frozen=True)
class World:
    """Ids of what `make_world` made, by their short names."""

    programme_id: int
    consultation_id: int
    slug: str
    short_code: str
    draft_version_id: int
    units: Mapping[str, int]
    sections: Mapping[str, int]
    section_versions: Mapping[str, int]
    items: Mapping[str, int]
    staff: Mapping[str, Viewer] = field(default_factory=dict)

    def viewer(self, username: str) -> Viewer:
        """The signed-in account of that name."""
        return self.staff[username]


def make_world(session: Session, now: datetime = NOW) -> World:
    """Fill an empty store with one of everything; the consultation opened the day before `now`."""
    _store_calendar(session)
    units = _make_units(session)
    items = _make_items(session, units)
    programme = Programme(slug="zhongqi", title="“十四五”规划实施中期评估", summary="开门搞评估")
    session.add(programme)
    session.flush()
    world = make_consultation(session, programme.id, units, items, now)
    return World(**{**world.__dict__, "staff": _make_staff(session, units, now)})


def make_consultation(
    session: Session,
    programme_id: int,
    units: Mapping[str, int],
    items: Mapping[str, int],
    now: datetime = NOW,
    *,
    slug: str = "gangyao",
    short_code: str = "ZP",
    title: str = "“十四五”规划纲要实施中期评估报告（征求意见稿）",
) -> World:
    """Publish a consultation with a draft of three sections; `sX` is led by another unit each."""
    starts = local_day(now) - timedelta(days=1)
    opened = now - timedelta(days=2)
    consultation = Consultation(
        programme_id=programme_id,
        owner_unit_id=units["FGW"],
        slug=slug,
        short_code=short_code,
        title=title,
        stage="not_started",
        starts_on=starts,
        ends_on=starts + timedelta(days=30),
        published_at=opened,
        drafting_note="起草说明",
        how_to_comment="网上提交",
        contact_unit="区发改委",
        contact_phone="021-55550100",
        contact_email="pinggu@example.com",
        contact_address="示例路1号",
        impact_assessment_no="PIA-2023-01",
    )
    session.add(consultation)
    session.flush()
    version = DraftVersion(
        consultation_id=consultation.id,
        number=1,
        state="published",
        title=title,
        imported_at=opened,
        published_at=opened,
    )
    session.add(version)
    session.flush()
    sections, versions = _make_sections(session, consultation.id, version.id, units, items)
    return World(
        programme_id, consultation.id, slug, short_code, version.id, dict(units), sections, versions, dict(items)
    )


def make_comment(
    session: Session,
    world: World,
    now: datetime = NOW,
    *,
    body: str = "建议加密马桥到地铁站的接驳公交，早高峰要走二十五分钟。",
    section: str | None = "s3",
    block: str = "",
    quote: str = "",
    item: str | None = None,
    flags: list[str] | None = None,
    contact: Mapping[str, str] | None = None,
    **columns: object,
) -> Comment:
    """Submit one comment, as it stands right after T01; `columns` overrides any column of the comment."""
    serial = _next_serial(session, world.consultation_id)
    unique = next(_serials)
    comment = Comment(
        consultation_id=world.consultation_id,
        received_in_id=world.consultation_id,
        serial=serial,
        receipt_no=f"{world.short_code}-{serial:04d}",
        query_code_digest=hashlib.sha256(f"code {unique}".encode()).hexdigest(),
        submission_key=hashlib.sha256(f"key {unique}".encode()).hexdigest(),
        handling_state="pending_review",
        publicity="pending",
        standing="waiting",
        closed_as="",
        section_id=world.sections[section] if section else None,
        section_version_id=world.section_versions[section] if section else None,
        block_key=block,
        quote=quote,
        item_id=world.items[item] if item else None,
        body=body,
        body_key=hashlib.sha256(body.encode()).hexdigest(),
        submitter_kind="individual",
        masked_name="赵**",
        age_statement="over_14",
        notice_version="2026-11",
        consent_processing=True,
        consented_at=now,
        flags=flags or [],
        submitted_at=now,
        review_due_on=review_due(CALENDAR, local_day(now)),
        updated_at=now,
    )
    for name, value in columns.items():
        setattr(comment, name, value)
    event = events.start_chain(comment, events.PUBLIC, now, {"notice_version": comment.notice_version})
    session.add(comment)
    session.flush()
    event.comment_id = comment.id
    session.add(event)
    person = SUBMITTER if contact is None else contact
    session.add(
        ContactDetails(comment_id=comment.id, **{name: CIPHER.encrypt(value) for name, value in person.items()})
    )
    tallies.shift(session, comment, None, Standing.WAITING)
    session.flush()
    return comment


def make_staff(
    session: Session,
    username: str,
    unit_id: int | None,
    roles: tuple[Role, ...],
    now: datetime = NOW,
    *,
    person_key: str = "",
    consultation_id: int | None = None,
    password_hash: str = "!",
) -> Viewer:
    """Add an account with its grants and return it signed in; its password opens nothing unless one is given."""
    member = StaffMember(
        username=username,
        display_name=f"{username}（测试）",
        person_key=person_key or f"p-{username}",
        password_hash=password_hash,
        unit_id=unit_id,
        created_at=now,
    )
    session.add(member)
    session.flush()
    session.add_all(
        RoleGrant(staff_id=member.id, role=role.value, consultation_id=consultation_id, granted_at=now)
        for role in roles
    )
    session.flush()
    unit_name = session.scalar(select(Unit.short_name).where(Unit.id == unit_id)) or ""
    return Viewer(
        staff_id=member.id,
        username=username,
        display_name=member.display_name,
        person_key=member.person_key,
        unit_id=unit_id,
        grants=frozenset(Grant(role, consultation_id) for role in roles),
        unit_name=unit_name,
    )


def _next_serial(session: Session, consultation_id: int) -> int:
    serial = session.scalars(
        select(Consultation.next_serial).where(Consultation.id == consultation_id).with_for_update()
    ).one()
    session.execute(update(Consultation).where(Consultation.id == consultation_id).values(next_serial=serial + 1))
    return serial


def _store_calendar(session: Session) -> None:
    for year, plan in CALENDAR.years.items():
        session.add(CalendarYear(year=year, published=True, source="测试"))
        session.flush()
        session.add_all(CalendarDay(day=day, year=year, works=False) for day in sorted(plan.weekday_off))
        session.add_all(CalendarDay(day=day, year=year, works=True) for day in sorted(plan.weekend_on))


def _make_units(session: Session) -> dict[str, int]:
    units: dict[str, int] = {}
    for position, (code, (name, short_name, kind)) in enumerate(UNITS.items()):
        unit = Unit(
            code=code, name=name, short_name=short_name, kind=kind, assignable=kind != "group", position=position
        )
        session.add(unit)
        session.flush()
        units[code] = unit.id
    for position, code in enumerate(("MQZ", "PJZ")):
        session.add(UnitMember(group_id=units["GJZ"], unit_id=units[code], position=position))
    return units


def _make_items(session: Session, units: Mapping[str, int]) -> dict[str, int]:
    items: dict[str, int] = {}
    for position, (key, title, leads, others) in enumerate(
        (
            ("T01", "优化公交线网", ("JTW",), ("JGW",)),
            ("P68", "既有多层住宅加装电梯", ("FGJ",), ("JGW", "GJZ")),
        )
    ):
        item = PlanItem(
            key=key, kind="key_task", position=position, title=title, text=title, source_text=title, raw_unit_text=""
        )
        session.add(item)
        session.flush()
        items[key] = item.id
        for place, code in enumerate((*leads, *others)):
            role = "lead" if code in leads else "other"
            session.add(PlanItemUnit(item_id=item.id, unit_id=units[code], role=role, position=place))
    return items


def _make_sections(
    session: Session,
    consultation_id: int,
    version_id: int,
    units: Mapping[str, int],
    items: Mapping[str, int],
) -> tuple[dict[str, int], dict[str, int]]:
    sections: dict[str, int] = {}
    versions: dict[str, int] = {}
    for position, (key, heading, lead, reason, item) in enumerate(
        (
            ("s1", "一、进展情况", "FGW", "owner", None),
            ("s2", "（一）重大项目进展", "FGJ", "items", "P68"),
            ("s3", "二、下一步举措", "JTW", "given", "T01"),
        )
    ):
        section = Section(consultation_id=consultation_id, key=key)
        session.add(section)
        session.flush()
        revision = SectionVersion(
            draft_version_id=version_id,
            section_id=section.id,
            parent_id=versions["s1"] if key == "s2" else None,
            position=position,
            level=2 if key == "s2" else 1,
            title=heading.strip("（一）二、"),
            heading=heading,
            path=f"一、进展情况 > {heading}" if key == "s2" else heading,
            default_lead_unit_id=units[lead],
            default_lead_reason=reason,
        )
        session.add(revision)
        session.flush()
        sections[key], versions[key] = section.id, revision.id
        if item:
            session.add(SectionItem(section_version_id=revision.id, item_id=items[item], position=0))
        for place, (block_key, text) in enumerate(BLOCKS[key]):
            session.add(
                Block(
                    section_version_id=revision.id,
                    key=block_key,
                    position=place,
                    kind="paragraph",
                    text=text,
                    html=text,
                    cells=[],
                )
            )
    session.flush()
    return sections, versions


def _make_staff(session: Session, units: Mapping[str, int], now: datetime) -> dict[str, Viewer]:
    return {
        username: make_staff(session, username, units[unit], roles, now, person_key=person)
        for username, (unit, roles, person) in STAFF.items()
    }
