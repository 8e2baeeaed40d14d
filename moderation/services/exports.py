"""Exports: asked for and recorded before a byte is made, written by the worker, kept for 24 hours (R-98 to R-100).

The record says who, why, what, as of when; how many rows and the file's SHA-256 follow. What a file may hold is
judged when it is written, by the roles held then.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.domain.comment_states import Role
from consult.domain.errors import NotAllowed, NotFound, Refused
from consult.domain.tables import Row, Table
from consult.domain.workbook_text import file_name
from consult.gateways.csv_file import write_csv
from consult.gateways.field_cipher import FieldCipher
from consult.gateways.json_file import write_json
from consult.models.comments import Job
from consult.queries.calendars import work_calendar
from consult.services import jobs
from consult.services.jobs import Claim
from moderation.domain import handling_list as words
from moderation.domain.handling_list import Criteria, Format, Part, TableName
from moderation.models import ExportRecord, RoleGrant, StaffMember
from moderation.permissions import Grant, Permission, Reach, Viewer
from moderation.queries import exports as read
from moderation.services import audit
from moderation.services.audit import COMMAND_LINE, By

JOB_KIND = "export"
KEPT_FOR = timedelta(hours=24)
_FORGOTTEN_AFTER = timedelta(hours=1)
FOLDER = "exports"
_REPORT_EVERY = 1_000  # rows

Opener = Callable[[], AbstractContextManager[Session]]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Made:
    """A finished file: where it lies, its rows, its digest."""

    path: Path
    rows: int
    sha256: str


# -- asking ----------------------------------------------------------------------------------------


def open_export(
    session: Session, viewer: Viewer, by: By, criteria: Criteria, *, confirmed: bool, as_of: datetime, now: datetime
) -> int:
    """Record an export and put it into the worker's queue; return the record's id.

    Contact columns need their own permission, a purpose of the list and a confirmation (R-100).

    Raises:
        NotAllowed: no role of the viewer exports these tables, or not with contacts.
        FieldErrors: purpose or confirmation missing.
        Refused: `as_of_in_future`; `export_needs_unit`, the table is a unit's and the viewer reaches none.
    """
    reach = reach_of(viewer, criteria)
    if reach.nothing:
        raise NotAllowed(permission=Permission.EXPORT.value)
    _check(criteria, reach, as_of, now)
    words.check_contact(with_contact=criteria.with_contact, purpose=criteria.purpose, confirmed=confirmed)
    return _store(session, viewer.staff_id, by, criteria, as_of, now)


def open_operators_export(session: Session, criteria: Criteria, as_of: datetime, now: datetime) -> int:
    """Record an export of the command line, by the system's operator; contact columns are not to be had there.

    Raises:
        NotAllowed: contact columns were asked for.
        Refused: as `open_export`.
    """
    if criteria.with_contact:
        raise NotAllowed(permission=Permission.EXPORT_WITH_CONTACT.value)
    _check(criteria, _operators_reach(criteria), as_of, now)
    return _store(session, None, COMMAND_LINE, criteria, as_of, now)


def _check(criteria: Criteria, reach: Reach, as_of: datetime, now: datetime) -> None:
    if as_of > now:
        raise Refused("as_of_in_future", field="as_of")
    if criteria.table is TableName.ITEMS and reach.lead_unit is None:
        raise Refused("export_needs_unit", field="table")
    if criteria.table is TableName.PUBLIC and criteria.consultation_id is None:
        raise Refused("export_needs_consultation", field="consultation")
    if criteria.part is Part.CO and reach.co_unit is None:
        raise Refused("export_needs_unit", field="part")


def _operators_reach(criteria: Criteria) -> Reach:
    unit = criteria.unit_id
    return Reach(everything=True) if unit is None else Reach(lead_unit=unit, co_unit=unit)


def _store(session: Session, staff_id: int | None, by: By, criteria: Criteria, as_of: datetime, now: datetime) -> int:
    record = ExportRecord(
        staff_id=staff_id,
        table_name=criteria.table.value,
        format=criteria.format.value,
        criteria=criteria.stored() | {"columns": [column.key for column in words.columns_of(criteria)]},
        with_contact=criteria.with_contact,
        purpose=criteria.purpose if criteria.with_contact else "",
        as_of=as_of,
        asked_at=now,
    )
    session.add(record)
    session.flush()
    record.job_id = jobs.ask(session, JOB_KIND, {"export": record.id}, staff_id, now)
    _record(session, by, record, now, state="asked")
    session.flush()
    return record.id


def job_of(session: Session, export_id: int) -> int | None:
    """Return the job that makes an export."""
    return session.scalar(select(ExportRecord.job_id).where(ExportRecord.id == export_id))


def reach_of(viewer: Viewer, criteria: Criteria) -> Reach:
    """Return what a viewer's export may hold.

    With contact columns the main table holds only what they may see contacts of; the co-unit sheet has no such
    columns and is the same either way.
    """
    if criteria.table is TableName.PUBLIC:
        return viewer.reach(Permission.EXPORT_PUBLIC)
    reach = viewer.reach(Permission.EXPORT)
    if not criteria.with_contact:
        return reach
    with_contact = viewer.reach(Permission.EXPORT_WITH_CONTACT)
    return with_contact if with_contact.nothing else replace(with_contact, co_unit=reach.co_unit)


def _record(session: Session, by: By, record: ExportRecord, now: datetime, **detail: object) -> None:
    told = {
        "table": record.table_name,
        "format": record.format,
        "with_contact": record.with_contact,
        "purpose": record.purpose,
        **detail,
    }
    audit.record(session, by, "export", now, object_kind="export", object_ref=str(record.id), detail=told)


# -- the requester's own ---------------------------------------------------------------------------


def own(session: Session, viewer: Viewer, export_id: int) -> ExportRecord:
    """Return an export of the viewer; nobody sees anybody else's.

    Raises:
        NotFound: there is none of theirs with that number.
    """
    record = session.scalar(
        select(ExportRecord).where(ExportRecord.id == export_id, ExportRecord.staff_id == viewer.staff_id)
    )
    if record is None:
        raise NotFound(object="export")
    return record


def cancel(session: Session, viewer: Viewer, by: By, export_id: int, now: datetime) -> None:
    """Cancel an export that has not ended.

    Raises:
        NotFound: not the viewer's.
        Refused: `export_ended`, there is nothing left to cancel.
    """
    record = own(session, viewer, export_id)
    if record.job_id is None or not jobs.cancel(session, record.job_id, now):
        raise Refused("export_ended")
    _record(session, by, record, now, state="cancelled")


def download(session: Session, viewer: Viewer, by: By, export_id: int, files: Path, now: datetime) -> tuple[Path, str]:
    """Return the file of an export and the name it is sent under, and record that it was taken.

    Raises:
        NotFound: not the viewer's, or no file yet.
        NotAllowed: the role was taken away since.
        Refused: `export_expired`.
    """
    record = own(session, viewer, export_id)
    criteria = _criteria(record)
    if reach_of(viewer, criteria).nothing:
        raise NotAllowed(permission=Permission.EXPORT.value)
    if record.finished_at is None or not record.stored_as:
        raise NotFound(object="export")
    if record.expires_at is None or now >= record.expires_at:
        raise Refused("export_expired")
    path = folder(files) / record.stored_as
    if not path.is_file():
        raise Refused("export_expired")
    audit.record(
        session, by, "export_download", now, object_kind="export", object_ref=str(record.id),
        detail={"sha256": record.sha256},
    )  # fmt: skip
    return path, record.file_name


# -- making ----------------------------------------------------------------------------------------


def make(
    held: Claim,
    reading: Opener,
    writing: Opener,
    cipher: FieldCipher,
    files: Path,
    clock: Callable[[], datetime],
    progress: Progress,
) -> Made | None:
    """Write the file of an asked export and complete its record; None when it was cancelled meanwhile.

    `progress` is told rows done and rows in all, and may raise to stop. A file is complete or not there: it gets
    its name only when the last byte is written.

    Raises:
        NotAllowed: the requester no longer holds the role, or not with contacts.
        NotFound: there is no such export.
    """
    target = folder(files)
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = target / f"{secrets.token_hex(16)}.part"
    try:
        with reading() as session:
            record = session.get(ExportRecord, int(held.params["export"]))
            if record is None:
                raise NotFound(object="export")
            criteria = _criteria(record)
            reach = _reach(session, record, criteria)
            rows, name, suffix = _write(session, record, criteria, reach, cipher, unfinished, progress)
        digest = _sha256(unfinished)
        stored_as = f"{secrets.token_hex(16)}{suffix}"
        with writing() as session:
            now = clock()
            # Whoever finds the job taken over or cancelled leaves no file behind.
            if not jobs.finish(session, held, now):
                return None
            record = session.get_one(ExportRecord, record.id)
            record.rows, record.sha256, record.file_name, record.stored_as = rows, digest, name, stored_as
            record.finished_at, record.expires_at = now, now + KEPT_FOR
            by = COMMAND_LINE if record.staff_id is None else By(record.staff_id, Role.SYSTEM.value)
            _record(session, by, record, now, state="made", rows=rows, sha256=digest)
            unfinished.rename(target / stored_as)
        return Made(target / stored_as, rows, digest)
    finally:
        unfinished.unlink(missing_ok=True)


def _write(
    session: Session,
    record: ExportRecord,
    criteria: Criteria,
    reach: Reach,
    cipher: FieldCipher,
    path: Path,
    progress: Progress,
) -> tuple[int, str, str]:
    names = read.named(session, criteria.consultation_id, reach.lead_unit or reach.co_unit)
    tables = _tables(session, record, criteria, reach, cipher)
    total = sum(table.count for table in tables)
    counted = _Counted(total, progress)
    tables = [Table(each.title, each.columns, counted.through(each.rows), each.count) for each in tables]
    title = words.TITLES[criteria.table]
    suffix = f".{criteria.format.value}"
    name = file_name(names.short_name, title, record.as_of, criteria.format.value)
    counts = [table.count for table in tables]
    if criteria.format is Format.CSV:
        rows = write_csv(path, tables[0])
    elif criteria.format is Format.JSON:
        also = tables[1] if len(tables) > 1 else None
        rows = write_json(path, tables[0], also, names.consultation, record.as_of, criteria.stored())
    else:
        notes = words.explanations(names.consultation, names.unit, criteria, record.as_of, counts[0], sum(counts[1:]))
        # Only who makes a file pays for the library: web processes never do.
        from consult.gateways.workbook import Book, write_xlsx

        rows = write_xlsx(path, Book(title, "开门评", record.as_of, tables, notes), path.parent)
    progress(total, total)
    return rows, name, suffix


def _tables(
    session: Session, record: ExportRecord, criteria: Criteria, reach: Reach, cipher: FieldCipher
) -> list[Table]:
    columns = words.columns_of(criteria)
    if criteria.table is TableName.ITEMS:
        unit = reach.lead_unit
        rows = read.item_rows(session, unit, record.as_of) if unit is not None else []
        return [Table(words.ITEMS_TITLE, columns, rows, len(rows))]
    if criteria.table is TableName.PUBLIC:
        consultation = criteria.consultation_id or 0
        public = read.public_rows(session, consultation, record.as_of)
        return [Table(words.PUBLIC_TITLE, columns, public, read.public_count(session, consultation, record.as_of))]
    calendar = work_calendar(session)
    tables: list[Table] = []
    if criteria.part is not Part.CO:
        keys = read.lead_keys(session, reach, criteria, record.as_of)
        reader = read.Reader(calendar, record.as_of, cipher if criteria.with_contact else None)
        tables.append(Table(words.LEAD_TITLE, columns, read.lead_rows(session, reach, keys, reader), len(keys)))
    # A csv file is one table.
    with_co = reach.co_unit is not None and criteria.format is not Format.CSV
    if criteria.part is Part.CO or (criteria.part is Part.BOTH and with_co):
        keys = read.co_keys(session, reach, criteria, record.as_of)
        reader = read.Reader(calendar, record.as_of)
        rows_of = read.co_rows(session, reach, keys, reader)
        tables.append(Table(words.CO_TITLE, words.CO_COLUMNS, rows_of, len(keys)))
    return tables


class _Counted:
    """Counts rows on their way into the file and reports them now and then."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._total = total
        self._progress = progress
        self._done = 0
        progress(0, total)

    def through(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            yield row
            self._done += 1
            if self._done % _REPORT_EVERY == 0:
                self._progress(self._done, self._total)


def _reach(session: Session, record: ExportRecord, criteria: Criteria) -> Reach:
    """Return what the export may hold by the roles held now, not by those held when it was asked for."""
    if record.staff_id is None:
        return _operators_reach(criteria)
    viewer = _viewer(session, record.staff_id)
    if viewer is None or reach_of(viewer, criteria).nothing:
        raise NotAllowed(permission=Permission.EXPORT.value)
    return reach_of(viewer, criteria)


def _viewer(session: Session, staff_id: int) -> Viewer | None:
    member = session.get(StaffMember, staff_id)
    if member is None or not member.active:
        return None
    grants = session.execute(
        select(RoleGrant.role, RoleGrant.consultation_id).where(
            RoleGrant.staff_id == staff_id, RoleGrant.revoked_at.is_(None)
        )
    )
    return Viewer(
        staff_id=staff_id,
        username=member.username,
        display_name=member.display_name,
        person_key=member.person_key,
        unit_id=member.unit_id,
        grants=frozenset(Grant(Role(role), consultation_id) for role, consultation_id in grants),
    )


def _criteria(record: ExportRecord) -> Criteria:
    return words.from_stored(record.criteria, with_contact=record.with_contact, purpose=record.purpose)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# -- files -----------------------------------------------------------------------------------------


def folder(files: Path) -> Path:
    """Return where finished files lie, under names that say nothing."""
    return files / FOLDER


def delete_expired(session: Session, files: Path, now: datetime) -> int:
    """Delete files older than 24 hours and whatever a dead worker left; return how many. The records stay (R-99).

    Safe to run at any time and any number of times.
    """
    place = folder(files)
    if not place.is_dir():
        return 0
    known = {
        row[0]: row[1]
        for row in session.execute(
            select(ExportRecord.stored_as, ExportRecord.expires_at).where(ExportRecord.stored_as != "")
        )
    }
    unfinished = session.scalar(
        select(Job.id).where(Job.kind == JOB_KIND, Job.state.in_(("waiting", "running"))).limit(1)
    )
    forgotten = None if unfinished is not None else (now - _FORGOTTEN_AFTER).timestamp()
    deleted = 0
    for path in sorted(place.iterdir()):
        expires_at = known.get(path.name)
        if expires_at is not None:
            gone = expires_at <= now
        else:
            # A file without a record may be one that is being finished just now.
            gone = forgotten is not None and path.stat().st_mtime < forgotten
        if gone:
            path.unlink(missing_ok=True)
            deleted += 1
    return deleted
