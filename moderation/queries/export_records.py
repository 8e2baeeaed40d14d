"""Reading export records: somebody's own exports, and the consultations an export can be narrowed to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.models.comments import Job
from consult.models.consultations import Consultation
from moderation.models import ExportRecord
from moderation.permissions import Reach


@dataclass(frozen=True)
class ExportRow:
    """One export as its requester sees it; `state` is that of its job, or `expired`."""

    id: int
    table: str
    format: str
    consultation: str
    with_contact: bool
    state: str
    error: str
    done: int
    total: int
    rows: int | None
    sha256: str
    file_name: str
    as_of: datetime
    asked_at: datetime
    expires_at: datetime | None


def of_requester(
    session: Session, staff_id: int, now: datetime, *, export_id: int | None = None, size: int = 50
) -> tuple[ExportRow, ...]:
    """Return somebody's own exports, the newest first, or the one of that number."""
    conditions = [ExportRecord.staff_id == staff_id]
    if export_id is not None:
        conditions.append(ExportRecord.id == export_id)
    found = session.execute(
        select(ExportRecord, Job.state, Job.error, Job.done, Job.total)
        .outerjoin(Job, Job.id == ExportRecord.job_id)
        .where(*conditions)
        .order_by(ExportRecord.id.desc())
        .limit(size)
    ).all()
    wanted = {row[0].criteria.get("consultation_id") for row in found} - {None}
    titles = {
        row[0]: row[1]
        for row in session.execute(select(Consultation.id, Consultation.title).where(Consultation.id.in_(wanted)))
    }
    return tuple(
        ExportRow(
            id=record.id,
            table=record.table_name,
            format=record.format,
            consultation=titles.get(record.criteria.get("consultation_id") or 0, ""),
            with_contact=record.with_contact,
            state="expired" if record.expires_at is not None and record.expires_at <= now else state or "failed",
            error=error or "",
            done=done or 0,
            total=total or 0,
            rows=record.rows,
            sha256=record.sha256,
            file_name=record.file_name,
            as_of=record.as_of,
            asked_at=record.asked_at,
            expires_at=record.expires_at,
        )
        for record, state, error, done, total in found
    )


def consultations(session: Session, reach: Reach) -> tuple[tuple[int, str], ...]:
    """Return the published consultations to choose from, the newest first; a reach that names some gives those."""
    conditions = [Consultation.stage != "draft"]
    if reach.consultations and not (reach.everything or reach.lead_unit or reach.co_unit):
        conditions.append(Consultation.id.in_(sorted(reach.consultations)))
    found = session.execute(
        select(Consultation.id, Consultation.title).where(*conditions).order_by(Consultation.id.desc())
    )
    return tuple((row[0], row[1]) for row in found)
