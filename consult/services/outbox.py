"""Sending what waits in the outbox: one message at a time, tried again later, never twice (R-92).

Before a message is handed to the server the row is marked as being sent, in a transaction of its own. A worker that
dies in between leaves that mark; such a row is parked for a person to look at, because the message may have gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from consult.domain.notices import CHINESE, Facts, compose, for_unit, knows
from consult.domain.tables import moment_text
from consult.gateways.field_cipher import FieldCipher, FieldUnreadableError
from consult.gateways.mail import Letter, MailDelayedError, MailRefusedError, MailUncertainError
from consult.models.comments import Comment, ContactDetails, Outbox, Reply
from consult.models.consultations import Consultation, SectionVersion
from consult.models.plan import Unit

Opener = Callable[[], AbstractContextManager[Session]]

PARKED_AFTER = 8
_SENDING = "sending"
_LEASE = timedelta(minutes=10)
_BACK_OFF = (1, 5, 15, 60, 180, 360, 720, 1440)  # minutes
_LONGEST_CODE = 40


class Carrier(Protocol):
    """What takes a letter to the server (`gateways.mail.Mailer`)."""

    def send(self, letter: Letter, now: datetime) -> None:
        """Hand over one letter; see `Mailer.send`."""


@dataclass(frozen=True)
class Desk:
    """What composing needs besides the store.

    Attributes:
        cipher: decrypts addresses.
        handler: who signs: the 处理者.
        base_url: of this site, empty when it does not know its own address; links are then left out.
        mailboxes: encrypted addresses of a unit's officers and leaders.
        words: texts only staff tables hold, by kind and params (a reason, a basis).
    """

    cipher: FieldCipher
    handler: str
    base_url: str
    mailboxes: Callable[[Session, int], Sequence[bytes]]
    words: Callable[[Session, str, Mapping[str, Any]], Mapping[str, str]]


@dataclass(frozen=True)
class Sent:
    """What one round did."""

    sent: int = 0
    delayed: int = 0
    parked: int = 0
    dropped: int = 0


@dataclass(frozen=True)
class _Claimed:
    id: int
    key: str
    kind: str
    attempt: int


def send_due(writing: Opener, desk: Desk, carrier: Carrier, clock: Callable[[], datetime], limit: int = 50) -> Sent:
    """Send up to `limit` messages that are due; safe to run by several workers at once.

    The round ends early when the server cannot be reached.
    """
    counts = {"sent": 0, "delayed": 0, "parked": 0, "dropped": 0}
    for _ in range(limit):
        with writing() as session:
            result = _prepare(session, desk, clock())
        if result is None:
            break
        if isinstance(result, str):
            counts[result] += 1
            continue
        claimed, letter = result
        state, code = _hand_over(carrier, letter, claimed, clock())
        with writing() as session:
            _settle(session, claimed, state, code, clock())
        counts["delayed" if state == "waiting" else state] += 1
        if state == "waiting" and not code.startswith("smtp_"):
            break  # no server to talk to: the rest need not wait for it one by one
    return Sent(**counts)


def put_back(session: Session, outbox_id: int, now: datetime) -> bool:
    """Let a parked message be tried again, as a person decided; False when it is not parked."""
    changed = session.execute(
        update(Outbox)
        .where(Outbox.id == outbox_id, Outbox.state == "parked")
        .values(state="waiting", attempts=0, due_at=now, leased_until=None, last_error="")
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount == 1)  # type: ignore[attr-defined]


def _prepare(session: Session, desk: Desk, now: datetime) -> tuple[_Claimed, Letter] | str | None:
    """Claim the next message and compose it; return what became of it when there is nothing to send."""
    row = session.scalar(
        select(Outbox)
        .where(
            Outbox.state == "waiting",
            Outbox.due_at <= now,
            or_(Outbox.leased_until.is_(None), Outbox.leased_until <= now),
        )
        .order_by(Outbox.due_at, Outbox.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if row is None:
        return None
    if row.last_error == _SENDING:
        return _end(row, "parked", "outcome_unknown")
    if not knows(row.kind):
        return _end(row, "parked", "no_text")
    try:
        recipients = _recipients(session, desk, row)
    except FieldUnreadableError:
        return _end(row, "parked", "address_unreadable")
    if isinstance(recipients, str):
        _end(row, recipients, "no_address")
        return "dropped"
    facts = _facts(session, desk, row)
    if facts is None:
        return _end(row, "dropped", "comment_gone")
    notice = compose(facts)
    row.attempts += 1
    row.last_error, row.leased_until = _SENDING, now + _LEASE
    session.flush()
    letter = Letter(row.message_key, recipients, notice.subject, notice.text, notice.html, facts.language)
    return _Claimed(row.id, row.message_key, row.kind, row.attempts), letter


def _end(row: Outbox, state: str, code: str) -> str:
    row.state, row.last_error, row.leased_until = state, code, None
    return state


def _hand_over(carrier: Carrier, letter: Letter, claimed: _Claimed, now: datetime) -> tuple[str, str]:
    try:
        carrier.send(letter, now)
    except MailRefusedError as error:
        return "parked", error.code
    except MailUncertainError:
        return "parked", "outcome_unknown"
    except MailDelayedError as error:
        return ("parked" if claimed.attempt >= PARKED_AFTER else "waiting"), error.code
    return "sent", ""


def _settle(session: Session, claimed: _Claimed, state: str, code: str, now: datetime) -> None:
    values: dict[str, object] = {"state": state, "last_error": code[:_LONGEST_CODE], "leased_until": None}
    if state == "sent":
        values["sent_at"] = now
    elif state == "waiting":
        values["due_at"] = now + timedelta(minutes=_BACK_OFF[min(claimed.attempt, len(_BACK_OFF)) - 1])
    session.execute(
        update(Outbox)
        .where(Outbox.id == claimed.id, Outbox.attempts == claimed.attempt)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


# -- who and what ----------------------------------------------------------------------------------


def _recipients(session: Session, desk: Desk, row: Outbox) -> tuple[str, ...] | str:
    """Return the addresses, or the state of a message that has none: to be told by telephone, or dropped."""
    if row.unit_id is not None:
        boxes = dict.fromkeys(desk.cipher.decrypt(token) for token in desk.mailboxes(session, row.unit_id))
        return tuple(boxes) or "dropped"
    contact = session.get(ContactDetails, row.comment_id) if row.comment_id is not None else None
    if contact is None or contact.erased_at is not None or contact.legal_hold:
        return "dropped"
    return (desk.cipher.decrypt(contact.email),) if contact.email else "phone"


def _facts(session: Session, desk: Desk, row: Outbox) -> Facts | None:
    found = session.execute(
        select(
            Comment.receipt_no, Comment.submitted_at, Consultation.title, SectionVersion.heading, Unit.short_name,
        )
        .join(Consultation, Consultation.id == Comment.consultation_id)
        .outerjoin(SectionVersion, SectionVersion.id == Comment.section_version_id)
        .outerjoin(Unit, Unit.id == Comment.lead_unit_id)
        .where(Comment.id == row.comment_id)
    ).first()  # fmt: skip
    if found is None:
        return None
    reply = _reply(session, row)
    return Facts(
        kind=row.kind,
        receipt_no=found[0],
        consultation=found[2],
        handler=desk.handler,
        language=CHINESE if for_unit(row.kind) else _language(session, row, found[0]),
        section=found[3] or "",
        submitted=moment_text(found[1]),
        status_url=f"{desk.base_url}/status/" if desk.base_url else "",
        staff_url=f"{desk.base_url}/staff/comments/{found[0]}" if desk.base_url else "",
        reply_unit=found[4] or "",
        reply_outcome=reply.outcome or "" if reply else "",
        reply_body="\n".join(part for part in (reply.body, reply.individual_note) if part) if reply else "",
        reply_location=reply.draft_location if reply else "",
        reply_reason=reply.reason if reply else "",
        params=row.params,
        words=desk.words(session, row.kind, row.params),
    )


def _reply(session: Session, row: Outbox) -> Reply | None:
    revision = row.params.get("revision")
    if row.kind != "reply" or not isinstance(revision, int):
        return None
    return session.scalar(
        select(Reply).where(
            Reply.comment_id == row.comment_id, Reply.revision == revision, Reply.published_at.is_not(None)
        )
    )


def _language(session: Session, row: Outbox, receipt_no: str) -> str:
    """Return the language the submitter used, which the receipt's own notice remembers."""
    kept = row.params
    if "language" not in kept:
        kept = session.scalar(select(Outbox.params).where(Outbox.message_key == f"receipt:{receipt_no}")) or {}
    return str(kept.get("language", CHINESE))
