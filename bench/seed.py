"""Many comments at once, as the services would have left them: states, events, counts and replies agree.

Rows go in through the models' tables in bulk. What has a rule of its own is asked for it: the digests of the event
chain, of the 查询码 and of the contact index, the standing of a comment, the transitions of the state table.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select, text, update

from consult.db import Store
from consult.domain.comment_states import Action, ClosedAs, CommentState, Publicity, Role, standing, transition
from consult.domain.event_chain import Entry, digest_of
from consult.domain.names import mask_name
from consult.domain.public_codes import format_receipt_no
from consult.gateways.blind_index import digest_query_code, index_contact
from consult.gateways.field_cipher import FieldCipher
from consult.models.base import Base
from consult.models.comments import (
    Assignment,
    Comment,
    CommentEvent,
    CommentTally,
    ContactDetails,
    Outbox,
    Reply,
)
from consult.models.consultations import Block, Consultation, DraftVersion, Section, SectionVersion
from consult.services.comments import body_key
from moderation.models import StaffMember

_BATCH = 5_000
_BUSY_SHARE = 12  # per cent of all comments that lie on one section, so that it has fifty public ones
_ANSWERED: tuple[Action, ...] = (
    Action.ACCEPT,
    Action.ROUTE,
    Action.ASSIGN,
    Action.SIGN_RECEIPT,
    Action.SUBMIT_REPLY,
    Action.SIGN_OFF,
    Action.CLOSE,
)
_WAYS: tuple[tuple[int, tuple[Action, ...], Publicity], ...] = (
    # of twenty comments, how many went which way; three quarters are public, half of those answered
    (3, (), Publicity.PENDING),
    (1, _ANSWERED[:2], Publicity.FULL),
    (7, _ANSWERED[:4], Publicity.FULL),
    (7, _ANSWERED, Publicity.FULL),
    (1, _ANSWERED[:4], Publicity.WITHHELD),
    (1, (Action.WITHDRAW,), Publicity.PENDING),
)
_OUTCOMES = ("adopted", "partly_adopted", "not_adopted", "explained", "reference")
_PERSONS = 200


@dataclass(frozen=True)
class Keys:
    """What the store under test encrypts and digests with."""

    cipher: FieldCipher
    index_key: bytes


@dataclass(frozen=True)
class Place:
    """A section of the current draft with its blocks and its default lead unit."""

    section_id: int
    section_version_id: int
    lead_unit_id: int
    blocks: tuple[str, ...]


@dataclass
class _Rows:
    """One batch, by table."""

    comments: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    contacts: list[dict[str, Any]] = field(default_factory=list)
    assignments: list[dict[str, Any]] = field(default_factory=list)
    replies: list[dict[str, Any]] = field(default_factory=list)
    mails: list[dict[str, Any]] = field(default_factory=list)


def fill(store: Store, slug: str, total: int, keys: Keys, now: datetime) -> None:
    """Add comments until the consultation has received `total`, spread over the sections of its draft."""
    with store.writing() as session:
        connection = session.connection()
        ground = _Ground(connection, slug, keys, now)
        with _UnguardedStart(connection):
            rows = _Rows()
            for _ in range(total - ground.received):
                ground.add(rows)
                if len(rows.comments) >= _BATCH:
                    _write(connection, rows)
                    rows = _Rows()
            _write(connection, rows)
        ground.finish(connection)


def _write(connection: Connection, rows: _Rows) -> None:
    for model, mine in (
        (Comment, rows.comments),
        (CommentEvent, rows.events),
        (ContactDetails, rows.contacts),
        (Assignment, rows.assignments),
        (Reply, rows.replies),
        (Outbox, rows.mails),
    ):
        if mine:
            connection.execute(insert(model), mine)


class _UnguardedStart:
    """Lifts, for the seeding only, the trigger that lets a comment begin in review alone."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sqlite = connection.dialect.name == "sqlite"
        self._trigger = ""

    def __enter__(self) -> None:
        if self._sqlite:
            self._trigger = self._connection.scalar(
                text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = 'comment_starts_in_review'")
            )
            self._connection.execute(text("DROP TRIGGER comment_starts_in_review"))
        else:
            self._connection.execute(text("ALTER TABLE comment DISABLE TRIGGER comment_legal_move"))

    def __exit__(self, *_: object) -> None:
        if self._sqlite:
            self._connection.exec_driver_sql(self._trigger)
        else:
            self._connection.execute(text("ALTER TABLE comment ENABLE TRIGGER comment_legal_move"))


class _Ground:
    """What the rows hang on, and the counters that go on from what is there."""

    def __init__(self, connection: Connection, slug: str, keys: Keys, now: datetime) -> None:
        self._dice = random.Random(20260615)
        self._keys = keys
        row = connection.execute(
            select(
                Consultation.id, Consultation.short_code, Consultation.next_serial, Consultation.notice_version
            ).where(Consultation.slug == slug)
        ).one()
        self._consultation_id, self._short_code, self._serial, self._notice = row
        self.received = int(
            connection.scalar(select(func.count()).where(Comment.consultation_id == self._consultation_id)) or 0
        )
        self._comment_id = _last(connection, Comment)
        self._assignment_id = _last(connection, Assignment)
        self._places = _places(connection, self._consultation_id)
        self._bodies = _texts(connection, select(Comment.body).where(Comment.standing == "public"))
        self._replies = _texts(connection, select(Reply.body).where(Reply.state == "published"))
        self._staff = dict(connection.execute(select(StaffMember.username, StaffMember.id)).all())
        self._ways = [(actions, publicity) for n, actions, publicity in _WAYS for _ in range(n)]
        self._persons = _persons(keys)
        self._counts: Counter[tuple[int, str, str]] = Counter()
        self._began = now - timedelta(days=24)
        self._step = timedelta(days=23) / 100_000
        self._number = 0

    def add(self, rows: _Rows) -> None:
        """Add one comment with all that belongs to it."""
        self._number += 1
        number, dice = self._number, self._dice
        self._comment_id += 1
        serial, self._serial = self._serial, self._serial + 1
        place = self._places[0 if dice.randrange(100) < _BUSY_SHARE else number % len(self._places)]
        block = dice.choice(place.blocks) if place.blocks and dice.random() < 0.6 else ""
        actions, publicity = self._ways[dice.randrange(len(self._ways))]
        # Spread over the whole period whatever the size, so that the newest page is not all of one day.
        at = self._began + self._step * dice.randrange(100_000) + timedelta(microseconds=number)
        comment = self._comment(serial, place, block, number, at)
        state = self._walk(rows, comment, actions, at)
        comment["handling_state"], comment["publicity"] = state, publicity
        closed = ClosedAs.ANSWERED if state is CommentState.CLOSED else None
        comment["closed_as"] = closed or ""
        comment["standing"] = standing(state, publicity, closed)
        comment["withhold_reason"] = "personal_privacy" if publicity is Publicity.WITHHELD else ""
        if Action.ACCEPT in actions:
            comment["accepted_at"], comment["accepted_by"] = at + timedelta(hours=2), self._staff["moderator"]
        if Action.ASSIGN in actions:
            self._assign(rows, comment, place, at)
        if Action.SIGN_OFF in actions:
            self._reply(rows, comment, place, number, at)
        rows.comments.append(comment)
        rows.contacts.append({"comment_id": self._comment_id, **self._persons[number % _PERSONS]})
        rows.mails.append(
            {
                "message_key": f"receipt:{comment['receipt_no']}",
                "kind": "receipt",
                "comment_id": self._comment_id,
                "params": {"language": "zh-Hans"},
                "state": "sent",
                "created_at": at,
                "due_at": at,
                "sent_at": at,
            }
        )
        self._counts[place.section_id, block, comment["standing"]] += 1

    def finish(self, connection: Connection) -> None:
        """Carry over the counts, the serial and, on PostgreSQL, the sequences."""
        table = CommentTally.__table__
        there = {
            (row.section_id, row.block_key, row.standing): row.n
            for row in connection.execute(select(table).where(table.c.consultation_id == self._consultation_id))
        }
        for key, n in self._counts.items():
            values = dict(zip(("section_id", "block_key", "standing"), key, strict=True))
            if key in there:
                same = [table.c[name] == value for name, value in values.items()]
                connection.execute(
                    update(CommentTally)
                    .where(table.c.consultation_id == self._consultation_id, *same)
                    .values(n=there[key] + n)
                )
            else:
                connection.execute(insert(CommentTally).values(consultation_id=self._consultation_id, n=n, **values))
        connection.execute(
            update(Consultation).where(Consultation.id == self._consultation_id).values(next_serial=self._serial)
        )
        if connection.dialect.name == "postgresql":
            for model in (Comment, Assignment):
                name = model.__tablename__
                connection.execute(
                    text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))")
                )

    def _comment(self, serial: int, place: Place, block: str, number: int, at: datetime) -> dict[str, Any]:
        body = f"{self._bodies[number % len(self._bodies)]}（{serial}）"
        code = hashlib.sha256(f"code {number}".encode()).hexdigest()[:12].upper()
        return {
            "id": self._comment_id,
            "consultation_id": self._consultation_id,
            "received_in_id": self._consultation_id,
            "serial": serial,
            "receipt_no": format_receipt_no(self._short_code, serial),
            "query_code_digest": digest_query_code(self._keys.index_key, code).hex(),
            "submission_key": hashlib.sha256(f"key {number}".encode()).hexdigest()[:32],
            "section_id": place.section_id,
            "section_version_id": place.section_version_id,
            "block_key": block,
            "quote": "",
            "quote_prefix": "",
            "quote_suffix": "",
            "body": body,
            "body_key": body_key(body),
            "submitter_kind": "individual",
            "source": "resident",
            "channel": "web",
            "masked_name": mask_name(_name(number % _PERSONS)),
            "public_name": "",
            "age_statement": "over_14",
            "notice_version": self._notice,
            "consent_processing": True,
            "consent_publish_name": False,
            "consent_publish_org_name": False,
            "consented_at": at,
            "flags": [],
            "has_third_party": False,
            "sealed": False,
            "submitted_at": at,
            "updated_at": at,
            "review_due_on": _day(at, 2),
            "accepted_at": None,
            "accepted_by": None,
            "supplements_asked": 0,
            "return_count": 0,
            "rejection_count": 0,
            "lead_unit_id": None,
            "assigned_at": None,
            "reply_due_on": None,
            "outcome": None,
            "replied_at": None,
            "version": 1,
        }

    def _walk(self, rows: _Rows, comment: dict[str, Any], actions: Sequence[Action], at: datetime) -> CommentState:
        """Append the events of a way through the state table and return where it ends."""
        state, head, seq = None, "", 0
        for action in (Action.SUBMIT, *actions):
            step = transition(state, action)
            seq += 1
            actor = None if step.role in {Role.PUBLIC, Role.SYSTEM} else self._staff["moderator"]
            kind = step.role.value if actor is None else "staff"
            moment = at + timedelta(hours=2 * (seq - 1))
            before, after, detail = state or "", step.target, {"transition": step.id}
            role = step.role.value
            entry = Entry(comment["receipt_no"], seq, action, before, after, kind, actor, role, "", detail, moment)
            digest = digest_of(entry, head)
            rows.events.append(
                {
                    "comment_id": self._comment_id,
                    "seq": seq,
                    "kind": action,
                    "before": before,
                    "after": after,
                    "actor_kind": kind,
                    "actor_id": actor,
                    "actor_role": role,
                    "reason": "",
                    "detail": detail,
                    "at": moment,
                    "previous_digest": head,
                    "digest": digest,
                }
            )
            state, head = step.target, digest
        comment["event_seq"], comment["event_head"], comment["version"] = seq, head, seq
        assert state is not None
        return state

    def _assign(self, rows: _Rows, comment: dict[str, Any], place: Place, at: datetime) -> None:
        self._assignment_id += 1
        assigned = at + timedelta(hours=6)
        comment["lead_unit_id"], comment["assigned_at"] = place.lead_unit_id, assigned
        comment["reply_due_on"] = _day(assigned, 9)
        rows.assignments.append(
            {
                "id": self._assignment_id,
                "comment_id": self._comment_id,
                "number": 1,
                "lead_unit_id": place.lead_unit_id,
                "assigned_by": self._staff["moderator"],
                "assigned_at": assigned,
                "reply_due_on": comment["reply_due_on"],
                "receipted_at": assigned + timedelta(hours=2),
                "receipted_by": self._staff["jtw-officer"],
                "designated": False,
                "auto_receipt": False,
            }
        )

    def _reply(self, rows: _Rows, comment: dict[str, Any], place: Place, number: int, at: datetime) -> None:
        outcome = _OUTCOMES[number % len(_OUTCOMES)]
        replied = at + timedelta(hours=12)
        comment["outcome"], comment["replied_at"] = outcome, replied
        rows.replies.append(
            {
                "comment_id": self._comment_id,
                "assignment_id": self._assignment_id,
                "revision": 1,
                "state": "published",
                "outcome": outcome,
                "body": self._replies[number % len(self._replies)],
                "reason": "已结合评估结论和有关部门意见研究，理由见答复正文。",
                "lead_unit_id": place.lead_unit_id,
                "drafted_by": self._staff["jtw-officer"],
                "drafted_at": at + timedelta(hours=8),
                "approved_by": self._staff["jtw-leader"],
                "approved_at": at + timedelta(hours=10),
                "signed_off_by": self._staff["signer"],
                "signed_off_at": replied,
                "published_at": replied,
            }
        )


def _last(connection: Connection, model: type[Base]) -> int:
    return int(connection.scalar(select(func.max(model.__table__.c.id))) or 0)


def _texts(connection: Connection, statement: Any) -> list[str]:
    return sorted(set(connection.scalars(statement)))


def _places(connection: Connection, consultation_id: int) -> list[Place]:
    """Return the sections of the current version; the busy one, with the most blocks, comes first."""
    version = connection.scalar(
        select(DraftVersion.id)
        .where(DraftVersion.consultation_id == consultation_id, DraftVersion.state == "published")
        .order_by(DraftVersion.number.desc())
        .limit(1)
    )
    blocks: dict[int, list[str]] = {}
    for owner, key in connection.execute(
        select(Block.section_version_id, Block.key)
        .join(SectionVersion, SectionVersion.id == Block.section_version_id)
        .where(SectionVersion.draft_version_id == version, Block.kind != "table_head")
        .order_by(Block.section_version_id, Block.position)
    ):
        blocks.setdefault(owner, []).append(key)
    owner_unit = connection.scalar(select(Consultation.owner_unit_id).where(Consultation.id == consultation_id))
    places = [
        Place(section, key, lead or owner_unit or 0, tuple(blocks.get(key, ())))
        for key, section, lead in connection.execute(
            select(SectionVersion.id, SectionVersion.section_id, SectionVersion.default_lead_unit_id)
            .join(Section, Section.id == SectionVersion.section_id)
            .where(SectionVersion.draft_version_id == version)
            .order_by(SectionVersion.position)
        )
    ]
    busy = max(places, key=lambda place: len(place.blocks))
    return [busy, *(place for place in places if place is not busy)]


def busy_section(connection: Connection, slug: str) -> str:
    """Return the key of the section with the most comments."""
    consultation_id = connection.scalar(select(Consultation.id).where(Consultation.slug == slug))
    assert consultation_id is not None
    place = _places(connection, consultation_id)[0]
    return str(connection.scalar(select(Section.key).where(Section.id == place.section_id)))


def _name(number: int) -> str:
    return "赵钱孙李周吴郑王冯陈"[number % 10] + "晓明"


def _persons(keys: Keys) -> list[dict[str, Any]]:
    return [_person(number, keys) for number in range(_PERSONS)]


def _person(number: int, keys: Keys) -> dict[str, Any]:
    phone, email = f"138{number:08d}", f"bench{number}@example.org"
    return {
        "name": keys.cipher.encrypt(_name(number)),
        "phone": keys.cipher.encrypt(phone),
        "email": keys.cipher.encrypt(email),
        "phone_index": index_contact(keys.index_key, phone).hex(),
        "email_index": index_contact(keys.index_key, email).hex(),
        "email_declined": False,
        "legal_hold": "",
    }


def _day(at: datetime, days: int) -> date:
    return (at + timedelta(days=days)).date()
