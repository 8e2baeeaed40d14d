"""Loading the demonstration: the Minhang plan, three consultations and comments in every state.

Everything goes through the services with a given `now`, never by writing states, and in one transaction: the
demonstration is there whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.domain.calendar import WorkCalendar, local_day
from consult.domain.comment_states import Role
from consult.domain.new_consultation import NewConsultation
from consult.domain.outline_model import ImportedDraft
from consult.domain.plan_rows import read_plan
from consult.gateways.field_cipher import FieldCipher
from consult.models.consultations import Consultation
from consult.models.plan import Unit
from consult.queries.calendars import work_calendar
from consult.services import calendars, consultations, drafts, events, feedback, plan_import, programmes
from consult.services.consultations import Signer
from consult.services.contacts import Vault
from consult.services.drafts import SourceFile
from moderation.permissions import Grant, Viewer
from moderation.services import accounts, demonstration_cases, replies, routing
from moderation.services.accounts import NewAccount
from moderation.services.audit import COMMAND_LINE
from moderation.services.demonstration_cases import Cast

BEIJING = ZoneInfo("Asia/Shanghai")
MAIN, TRANSPORT, SPORTS = "gangyao", "jiaotong", "tiyu"

# username, who, unit, roles; these are the logins that are printed
PRINTED: tuple[tuple[str, str, str, tuple[Role, ...]], ...] = (
    ("moderator", "审核分办岗", "FGW", (Role.REVIEWER, Role.ASSIGNER)),
    ("jtw-officer", "区交通委承办人", "JTW", (Role.UNIT_OFFICER,)),
    ("jtw-leader", "区交通委负责人", "JTW", (Role.UNIT_LEADER,)),
    ("signer", "审签人", "FGW", (Role.SIGN_OFF_OFFICER,)),
    ("supervisor", "督办人员", "QFB", (Role.SUPERVISOR,)),
    ("admin", "系统管理员", "DSJ", (Role.SYSADMIN,)),
    ("auditor", "安全审计员", "DSJ", (Role.SECURITY_AUDITOR,)),
)
_OTHERS: tuple[tuple[str, str, str, tuple[Role, ...]], ...] = (
    ("editor", "编辑岗", "FGW", (Role.REVIEWER,)),
    ("reviewer", "审核岗", "FGW", (Role.REVIEWER,)),
)


@dataclass(frozen=True)
class Files:
    """The demonstration's texts, read before the transaction begins."""

    units: str
    items: str
    fixes: str
    sections: str
    comments: tuple[dict[str, object], ...]
    other_comments: tuple[dict[str, object], ...]
    main_draft: tuple[ImportedDraft, SourceFile]
    transport_draft: tuple[ImportedDraft, SourceFile]
    sports_draft: tuple[ImportedDraft, SourceFile]


@dataclass(frozen=True)
class Keys:
    """What the services encrypt with, and how a 查询码 is digested."""

    vault: Vault
    cipher: FieldCipher
    digest_code: Callable[[str], str]


@dataclass(frozen=True)
class Summary:
    """What was loaded."""

    already_there: bool
    comments: int = 0
    states: tuple[tuple[str, int], ...] = ()


def read_files(folder: Path, read_draft: Callable[[bytes, str], ImportedDraft]) -> Files:
    """Read the demonstration's files from the package's data folder."""

    def text(name: str) -> str:
        return (folder / name).read_text(encoding="utf-8-sig")

    def lines(name: str) -> tuple[dict[str, object], ...]:
        return tuple(json.loads(line) for line in text(name).splitlines() if line.strip())

    def draft(name: str) -> tuple[ImportedDraft, SourceFile]:
        data = (folder / name).read_bytes()
        return read_draft(data, name), SourceFile(name, hashlib.sha256(data).hexdigest())

    return Files(
        text("units.csv"),
        text("items.csv"),
        text("fixes.csv"),
        text("sections.csv"),
        lines("comments_demo.jsonl"),
        lines("comments_other.jsonl"),
        draft("draft_v1.md"),
        draft("draft_transport.md"),
        draft("draft_sports.md"),
    )


def is_loaded(session: Session) -> bool:
    """Whether the demonstration's main consultation is there."""
    return session.scalar(select(Consultation.id).where(Consultation.slug == MAIN)) is not None


def load(
    session: Session, files: Files, keys: Keys, hashes: dict[str, str], now: datetime, tell: Callable[[str], None]
) -> Summary:
    """Load everything; `hashes` holds a password hash for every printed login and one under "" for all others."""
    if is_loaded(session):
        return Summary(already_there=True)
    today = local_day(now)
    tell("导入规划、单位和日历")
    calendars.seed(session)
    plan_import.import_plan(session, read_plan(files.units, files.items, files.fixes))
    programmes.ensure_midterm(session)
    calendar = work_calendar(session)
    staff = _make_staff(session, hashes, _at(today - timedelta(days=100), 9))
    tell("建立三次征集并发布草案")
    for new, (draft, source) in (
        (_main(today), files.main_draft),
        (_transport(today), files.transport_draft),
        (_sports(today), files.sports_draft),
    ):
        rules = files.sections if new.slug == MAIN else None
        _publish(session, new, draft, source, rules, staff, calendar)
    cast = Cast(
        staff=staff,
        units=_officers(session, staff),
        vault=keys.vault,
        cipher=keys.cipher,
        digest_code=keys.digest_code,
        calendar=calendar,
        now=now,
    )
    tell("登记并办理意见")
    opened = _at(today - timedelta(days=25), 8)
    made = demonstration_cases.main_cases(session, cast, MAIN, files.comments, opened)
    made += demonstration_cases.other_cases(
        session, cast, TRANSPORT, [one for one in files.other_comments if one["consultation"] == "transport"],
        _at(today - timedelta(days=20), 10),
    )  # fmt: skip
    made += demonstration_cases.finished_cases(
        session, cast, SPORTS, [one for one in files.other_comments if one["consultation"] == "sports"],
        _at(today - timedelta(days=70), 9),
    )  # fmt: skip
    routing.auto_receipts(session, now, limit=1_000)
    replies.close_answered(session, calendar, now, limit=1_000)
    tell("公布已结束征集的采纳情况")
    collated = _at(today - timedelta(days=30), 9)
    consultations.start_collating(session, SPORTS, 0, staff["moderator"][1], collated)
    feedback.publish_feedback(session, SPORTS, staff["signer"][1], collated + timedelta(days=5))
    return Summary(already_there=False, comments=made, states=demonstration_cases.states(session))


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=BEIJING)


def _make_staff(session: Session, hashes: dict[str, str], now: datetime) -> dict[str, tuple[Viewer, events.Actor]]:
    """Make the named accounts, and an officer and a leader for every unit that can be routed to."""
    units = {code: (key, name) for code, key, name in session.execute(select(Unit.code, Unit.id, Unit.short_name))}
    wanted = [(username, who, unit, roles) for username, who, unit, roles in (*PRINTED, *_OTHERS)]
    named = {username for username, *_rest in wanted}
    for code, name in session.execute(
        select(Unit.code, Unit.short_name).where(Unit.assignable.is_(True)).order_by(Unit.position, Unit.id)
    ):
        for suffix, role, title in (
            ("officer", Role.UNIT_OFFICER, "承办人"),
            ("leader", Role.UNIT_LEADER, "负责人"),
        ):
            username = f"{code.lower()}-{suffix}"
            if username not in named:
                wanted.append((username, f"{name}{title}", code, (role,)))
    made: dict[str, tuple[Viewer, events.Actor]] = {}
    for username, who, unit, roles in wanted:
        person = hashlib.sha256(f"demo:{username}".encode()).hexdigest()
        account = NewAccount(username, who, person, hashes.get(username, hashes[""]), units[unit][0])
        staff_id = accounts.create(session, COMMAND_LINE, account, now)
        grants = frozenset(Grant(role) for role in roles)
        for grant in grants:
            accounts.grant(session, COMMAND_LINE, staff_id, grant, now)
        viewer = Viewer(staff_id, username, who, person, units[unit][0], grants, units[unit][1])
        made[username] = (viewer, events.staff(staff_id, roles[-1]))
    return made


def _officers(session: Session, staff: dict[str, tuple[Viewer, events.Actor]]) -> dict[str, tuple[Viewer, Viewer]]:
    codes = session.scalars(select(Unit.code).where(Unit.assignable.is_(True)))
    return {code: (staff[f"{code.lower()}-officer"][0], staff[f"{code.lower()}-leader"][0]) for code in codes}


def _publish(
    session: Session,
    new: NewConsultation,
    draft: ImportedDraft,
    source: SourceFile,
    rules: str | None,
    staff: dict[str, tuple[Viewer, events.Actor]],
    calendar: WorkCalendar,
) -> None:
    prepared = _at(new.starts_on - timedelta(days=2), 15)
    consultations.create(session, new, staff["editor"][1], prepared)
    drafts.import_draft(session, new.slug, draft, source, staff["editor"][1], prepared, rules)
    viewer, actor = staff["signer"]
    consultations.publish(
        session,
        new.slug,
        Signer(replace(actor), viewer.person_key),
        [staff["editor"][0].person_key],
        calendar,
        _at(new.starts_on, 0) + timedelta(minutes=5),
    )


def _main(today: date) -> NewConsultation:
    return NewConsultation(
        slug=MAIN,
        title="闵行区“十四五”规划《纲要》实施中期评估报告（征求意见稿）",
        short_code="ZP",
        owner_unit="FGW",
        programme=programmes.MIDTERM_SLUG,
        starts_on=today - timedelta(days=25),
        ends_on=today + timedelta(days=15),
        drafting_note=(
            "全区“十四五”规划实施已过半程。按照评估工作方案，区发改委会同各部门、各街镇对22项主要指标、"
            "74项重点任务、74项重大项目逐项作了评估，形成征求意见稿。\n"
            "请您看一看：数据实不实，问题找得准不准，下一步的举措能不能解决您身边的事。每条意见都有编号、"
            "有承办单位、有公开答复。"
        ),
        how_to_comment="在本网站逐段提意见；也可以书面寄送或到街镇社区事务受理服务中心口述，由工作人员代为录入。",
        contact_unit="闵行区发展和改革委员会",
        contact_phone="021-64980000",
        contact_email="kaimen@example.org",
        contact_address="上海市闵行区沪闵路6258号",
        adjustment_note="本次评估暂不调整约束性指标；如需调整，将按法定程序单独说明理由和测算依据。",
        impact_assessment_no="演示-2026-01",
    )


def _transport(today: date) -> NewConsultation:
    return replace(
        _main(today),
        slug=TRANSPORT,
        title="《闵行区综合交通“十四五”规划》实施中期评估报告（征求意见稿）",
        short_code="JT",
        owner_unit="JTW",
        starts_on=today - timedelta(days=29),
        ends_on=today + timedelta(days=3),
        drafting_note="区交通委对综合交通“十四五”规划的实施情况作了中期评估，现公开征求意见。",
        contact_unit="闵行区交通委员会",
    )


def _sports(today: date) -> NewConsultation:
    return replace(
        _main(today),
        slug=SPORTS,
        title="《闵行区体育发展“十四五”规划》实施中期评估报告（征求意见稿）",
        short_code="TY",
        owner_unit="TYJ",
        starts_on=today - timedelta(days=80),
        ends_on=today - timedelta(days=45),
        drafting_note="区体育局对体育发展“十四五”规划的实施情况作了中期评估，现公开征求意见。",
        contact_unit="闵行区体育局",
    )
