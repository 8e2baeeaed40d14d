"""The plan and a consultation of it, as the tests of services and pages start from them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from consult.domain.new_consultation import NewConsultation
from consult.domain.plan_rows import PlanRows, read_plan
from consult.services import calendars, consultations, plan_import, programmes
from consult.services.events import Actor

PLAN = Path(__file__).resolve().parents[1] / "data" / "plan"
NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # 09:00 in Beijing
EDITOR = Actor("staff", "assigner", 11)
SIGNER = Actor("staff", "sign_off_officer", 12)


def read(name: str) -> str:
    return (PLAN / name).read_text("utf-8")


def rows() -> PlanRows:
    return read_plan(read("units.csv"), read("items.csv"), read("fixes.csv"))


def few_rows() -> PlanRows:
    """A corner of the plan: enough for a consultation, quick to store."""
    whole = rows()
    items = tuple(item for item in whole.items if item.key in {"I14", "T36"})
    wanted = {"FGW", "G_ALL14", *(code for item in items for code in (*item.leads, *item.others))}
    chosen = tuple(replace(unit, members=()) for unit in whole.units if unit.code in wanted)
    return PlanRows(chosen, items, ())


def load_little(session: Session) -> None:
    plan_import.import_plan(session, few_rows())
    calendars.seed(session)
    programmes.ensure_midterm(session)


def load_plan(session: Session) -> None:
    plan_import.import_plan(session, rows())
    calendars.seed(session)
    programmes.ensure_midterm(session)


def new_consultation(**changes: object) -> NewConsultation:
    given: dict[str, object] = {
        "slug": "zhongqi",
        "title": "闵行区“十四五”规划实施中期评估报告（征求意见稿）",
        "short_code": "ZP",
        "owner_unit": "FGW",
        "programme": "midterm-evaluation",
        "starts_on": date(2026, 3, 2),
        "ends_on": date(2026, 4, 1),
        "drafting_note": "按照工作方案形成本稿，现公开征求意见。",
        "how_to_comment": "在线填写意见表，或书面寄送。",
        "contact_unit": "区发改委",
        "contact_phone": "021-55550100",
    }
    return NewConsultation(**(given | changes))  # type: ignore[arg-type]


def make_consultation(session: Session, now: datetime = NOW, *, whole_plan: bool = True, **changes: object) -> int:
    (load_plan if whole_plan else load_little)(session)
    return consultations.create(session, new_consultation(**changes), EDITOR, now)
