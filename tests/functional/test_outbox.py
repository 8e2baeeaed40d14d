"""The outbox against a real SMTP server on loopback: what is sent, to whom, and never twice."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select, update

from consult.db import Store
from consult.domain.notices import ENGLISH, Facts, compose
from consult.gateways.field_cipher import FieldCipher
from consult.gateways.mail import (
    Letter,
    MailDelayedError,
    Mailer,
    MailRefusedError,
    MailUncertainError,
    Server,
    build_message,
    read_smtp_url,
)
from consult.models.comments import ContactDetails, Outbox
from consult.queries import outbox as read
from consult.services import outbox
from consult.services.outbox import Desk, Sent
from consult.settings import DEMO_FIELD_KEY
from moderation.models import StaffMember
from moderation.queries import notice_facts
from tests.support import casework
from tests.support.factories import CIPHER, NOW, SUBMITTER, World, make_comment, make_world

SENDER = "kaimen@example.org"
DESK = Desk(CIPHER, "闵行区发展和改革委员会", "https://kaimen.example.org", notice_facts.mailboxes, notice_facts.words)


class Inbox:
    """What the server took; `answers` are given to DATA first, one a message, and then it takes everything."""

    def __init__(self) -> None:
        self.taken: list[tuple[list[str], EmailMessage]] = []
        self.answers: list[str] = []
        self.refused: set[str] = set()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address in self.refused:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.answers:
            return self.answers.pop(0)
        self.taken.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=default)))  # type: ignore[arg-type]
        return "250 taken"


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def mailer(inbox: Inbox) -> Iterator[Mailer]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        with Mailer(Server("127.0.0.1", port, implicit_tls=False, username="", password="", sender=SENDER)) as link:
            yield link
    finally:
        controller.stop()


@pytest.fixture
def world(store: Store) -> World:
    with store.writing() as session:
        return make_world(session)


def notice(store: Store, world: World, kind: str = "accepted", key: str = "1", **more: Any) -> str:
    with store.writing() as session:
        comment = make_comment(session, world, **more)
        session.add(
            Outbox(
                message_key=f"{kind}:{comment.receipt_no}:{key}", kind=kind, comment_id=comment.id,
                params={"publicity": "full"}, created_at=NOW, due_at=NOW,
            )
        )  # fmt: skip
        return comment.receipt_no


def send(store: Store, mailer: Any, now: datetime = NOW) -> Sent:
    return outbox.send_due(store.writing, DESK, mailer, lambda: now)


def rows(store: Store) -> list[Outbox]:
    with store.reading() as session:
        return list(session.scalars(select(Outbox).order_by(Outbox.id)))


def test_a_notice_reaches_the_submitter_once_as_text_and_html(
    store: Store, world: World, mailer: Mailer, inbox: Inbox
) -> None:
    ref = notice(store, world)
    assert send(store, mailer) == Sent(sent=1)
    assert send(store, mailer) == Sent()
    ((recipients, message),) = inbox.taken
    assert recipients == [SUBMITTER["email"]]
    assert message["Subject"] == f"您的意见已受理（{ref}）"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "您的意见已受理，将公开" in text
    assert "https://kaimen.example.org/status/" in text
    (row,) = rows(store)
    assert (row.state, row.sent_at, row.attempts) == ("sent", NOW, 1)


def test_r53_no_notice_of_a_whole_life_holds_the_comment_or_says_who_in_its_subject(
    store: Store, world: World, mailer: Mailer, inbox: Inbox
) -> None:
    body = "独一无二的意见正文：建议加密马桥接驳公交班次。"
    with store.writing() as session:
        ref = make_comment(session, world, body=body).receipt_no
        casework.replied(session, world, ref)
        session.execute(update(StaffMember).values(email=CIPHER.encrypt("officer@example.org")))
    result = send(store, mailer)
    assert result.sent == len(inbox.taken) >= 4
    for _, message in inbox.taken:
        subject = str(message["Subject"])
        for secret in ("独一无二", SUBMITTER["name"], SUBMITTER["phone"], SUBMITTER["email"]):
            assert secret not in subject
        assert "独一无二" not in message.as_string()
        for part in message.iter_parts():
            assert "独一无二" not in part.get_content()
    replies = [message for _, message in inbox.taken if "有答复了" in str(message["Subject"])]
    assert len(replies) == 1
    assert casework.GOOD_REPLY.body in replies[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_a_unit_notice_goes_to_its_active_officers_and_leaders(
    store: Store, world: World, mailer: Mailer, inbox: Inbox
) -> None:
    ref = notice(store, world, "accepted")
    with store.writing() as session:
        session.execute(update(Outbox).values(state="dropped"))
        for name in ("jtw_officer", "jtw_officer2", "fgj_officer"):
            session.execute(
                update(StaffMember)
                .where(StaffMember.username == name)
                .values(email=CIPHER.encrypt(f"{name}@example.org"), active=name != "jtw_officer2")
            )
        comment = casework.get(session, ref)
        session.add(
            Outbox(
                message_key=f"auto_receipt:{ref}:1", kind="auto_receipt", comment_id=comment.id,
                unit_id=world.units["JTW"], created_at=NOW, due_at=NOW,
            )
        )  # fmt: skip
    assert send(store, mailer) == Sent(sent=1)
    ((recipients, message),) = inbox.taken
    assert recipients == ["jtw_officer@example.org"]
    assert f"【视为签收】{ref}" in message.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_r92_a_delayed_message_waits_longer_each_time_and_is_parked_after_eight(
    store: Store, world: World, mailer: Mailer, inbox: Inbox
) -> None:
    notice(store, world)
    now, waits = NOW, []
    for _ in range(7):
        inbox.answers = ["451 try later"]
        assert send(store, mailer, now) == Sent(delayed=1)
        assert send(store, mailer, now) == Sent()
        (row,) = rows(store)
        assert row.last_error == "smtp_451"
        waits.append(row.due_at - now)
        now = row.due_at
    assert waits == sorted(waits)
    assert waits[0] == timedelta(minutes=1)
    inbox.answers = ["451 try later"]
    assert send(store, mailer, now) == Sent(parked=1)
    assert send(store, mailer, now + timedelta(days=9)) == Sent()
    with store.reading() as session:
        (parked,) = read.in_state(session, "parked")
        assert (parked.attempts, parked.last_error) == (8, "smtp_451")
        assert read.counts(session) == {"parked": 1}
    with store.writing() as session:
        assert outbox.put_back(session, parked.id, now)
        assert not outbox.put_back(session, parked.id, now)
    assert send(store, mailer, now) == Sent(sent=1)
    assert len(inbox.taken) == 1


def test_an_unknown_mailbox_is_parked_and_the_next_message_still_goes(
    store: Store, world: World, mailer: Mailer, inbox: Inbox
) -> None:
    notice(store, world, contact={"email": "gone@example.org"})
    notice(store, world)
    inbox.refused = {"gone@example.org"}
    assert send(store, mailer) == Sent(sent=1, parked=1)
    assert [(row.state, row.last_error) for row in rows(store)] == [("parked", "smtp_550"), ("sent", "")]


def test_nobody_gets_a_message_twice_when_the_worker_dies_after_handing_it_over(
    store: Store, world: World, inbox: Inbox, mailer: Mailer
) -> None:
    class Dies:
        def send(self, letter: Letter, now: datetime) -> None:
            mailer.send(letter, now)
            raise KeyboardInterrupt

    notice(store, world)
    with pytest.raises(KeyboardInterrupt):
        send(store, Dies())
    assert len(inbox.taken) == 1
    assert send(store, mailer, NOW + timedelta(minutes=5)) == Sent()
    assert send(store, mailer, NOW + timedelta(hours=1)) == Sent(parked=1)
    assert len(inbox.taken) == 1
    assert rows(store)[0].last_error == "outcome_unknown"


def test_two_workers_at_once_send_each_message_once(store: Store, world: World, inbox: Inbox, mailer: Mailer) -> None:
    for _ in range(12):
        notice(store, world)
    server = mailer._server
    faults: list[BaseException] = []

    def work() -> None:
        try:
            with Mailer(server) as own:
                outbox.send_due(store.writing, DESK, own, lambda: NOW)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    ids = [str(message["Message-ID"]) for _, message in inbox.taken]
    assert len(ids) == len(set(ids)) == 12


def test_a_connection_that_breaks_after_the_data_is_not_tried_again(store: Store, world: World) -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def talk() -> None:
        peer, _ = listener.accept()
        with peer, peer.makefile("rwb", buffering=0) as line:
            line.write(b"220 here\r\n")
            while words := line.readline():
                if words.startswith(b"DATA"):
                    line.write(b"354 go on\r\n")
                    while line.readline() != b".\r\n":
                        pass
                    return
                line.write(b"250 fine\r\n")

    thread = threading.Thread(target=talk)
    thread.start()
    notice(store, world)
    port = listener.getsockname()[1]
    with Mailer(Server("127.0.0.1", port, implicit_tls=False, username="", password="", sender=SENDER)) as link:
        assert send(store, link) == Sent(parked=1)
    thread.join()
    listener.close()
    assert rows(store)[0].last_error == "outcome_unknown"


def test_r92_without_a_server_nothing_is_lost_and_the_message_waits(store: Store, world: World) -> None:
    notice(store, world)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with Mailer(Server("127.0.0.1", port, implicit_tls=False, username="", password="", sender=SENDER)) as link:
        assert send(store, link) == Sent(delayed=1)
    (row,) = rows(store)
    assert (row.state, row.last_error, row.sent_at) == ("waiting", "ConnectionRefusedError", None)


def test_r48_an_erased_address_gets_nothing_and_a_missing_one_is_listed_for_a_call(
    store: Store, world: World, mailer: Mailer, inbox: Inbox
) -> None:
    erased = notice(store, world)
    notice(store, world, contact={"name": "赵晓梅", "phone": "13800138000"})
    with store.writing() as session:
        key = casework.get(session, erased).id
        session.execute(
            update(ContactDetails).where(ContactDetails.comment_id == key).values(email=None, erased_at=NOW)
        )
    assert send(store, mailer) == Sent(dropped=2)
    assert [row.state for row in rows(store)] == ["dropped", "phone"]
    assert inbox.taken == []


def test_the_submitters_language_is_remembered_from_the_receipt(
    store: Store, world: World, mailer: Mailer, inbox: Inbox
) -> None:
    ref = notice(store, world)
    with store.writing() as session:
        comment = casework.get(session, ref)
        session.add(
            Outbox(
                message_key=f"receipt:{ref}", kind="receipt", comment_id=comment.id, params={"language": "en"},
                created_at=NOW, due_at=NOW,
            )
        )  # fmt: skip
    assert send(store, mailer) == Sent(sent=2)
    assert {str(message["Subject"]) for _, message in inbox.taken} == {
        f"Your comment has been accepted ({ref})", f"Your comment has been received ({ref})",
    }  # fmt: skip


def test_r53_a_line_break_in_a_header_is_refused() -> None:
    for bad in ("a\r\nBcc: x@example.org", "a\nb", "a\u2028b"):
        with pytest.raises(MailRefusedError, match="header_injection"):
            build_message(Letter("k", ("a@example.org",), bad, "t", "h"), SENDER, NOW)
    with pytest.raises(MailRefusedError, match="header_injection"):
        build_message(Letter("k", ("a@example.org\r\nBcc: b@example.org",), "s", "t", "h"), SENDER, NOW)
    with pytest.raises(MailRefusedError, match="address_malformed"):
        build_message(Letter("k", ("no address",), "s", "t", "h"), SENDER, NOW)


def test_a_line_of_one_dot_survives_the_dialogue(mailer: Mailer, inbox: Inbox) -> None:
    mailer.send(Letter("k", ("a@example.org",), "s", "一行\n.\n..两点\n", "<p>.</p>"), NOW)
    assert inbox.taken[0][1].get_body(("plain",)).get_content().splitlines() == ["一行", ".", "..两点"]  # type: ignore[union-attr]


@pytest.mark.parametrize("url", ["http://host", "smtp://", "smtp://host:99999", "host:25"])
def test_a_wrong_smtp_address_is_told_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="CONSULT_SMTP_URL"):
        read_smtp_url(url, SENDER)


def test_the_smtp_address_says_host_port_login_and_sender() -> None:
    assert read_smtp_url("smtps://u%40x:p%3Aw@mail.example.org", SENDER) == Server(
        "mail.example.org", 465, implicit_tls=True, username="u@x", password="p:w", sender=SENDER
    )
    assert read_smtp_url("smtp://h:2525?from=a%40b.org", SENDER).sender == "a@b.org"


@pytest.mark.parametrize("language", ["zh-Hans", ENGLISH])
@pytest.mark.parametrize(
    "kind",
    ["receipt", "ask_supplement", "accepted", "merged", "assigned", "reassigned", "extension", "reply",
     "channel_notice", "withheld", "not_accepted"],
)  # fmt: skip
def test_every_notice_to_a_submitter_exists_in_both_languages(kind: str, language: str) -> None:
    facts = Facts(kind, "ZP-0001", "征集<b>", "区发改委", language, params={"due": "2023-07-26", "reason": "privacy"})
    made = compose(facts)
    assert "ZP-0001" in made.subject
    assert "<b>" not in made.html.replace("<body>", "")
    assert made.subject.isascii() is (language == ENGLISH)
    assert "None" not in made.text


def test_errors_of_the_gateway_say_a_code_and_no_address() -> None:
    for error in (MailRefusedError("smtp_550"), MailDelayedError("smtp_451"), MailUncertainError()):
        assert "@" not in str(error)


def run_command(store_url: str, folder: Path, smtp_url: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONSULT_")}
    environ = kept | {"CONSULT_ENV": "test", "CONSULT_DATABASE_URL": store_url, "CONSULT_SMTP_URL": smtp_url}
    command = [sys.executable, "-m", "moderation.cli", "outbox", "send"]
    return subprocess.run(command, env=environ, cwd=folder, capture_output=True, text=True)


def test_the_command_line_sends_and_without_a_server_says_how_many_wait(
    store: Store, store_url: str, world: World, mailer: Mailer, inbox: Inbox, tmp_path: Path
) -> None:
    notice(store, world)
    with store.writing() as session:
        # The command reads with the built-in key of the test environment.
        token = FieldCipher(DEMO_FIELD_KEY).encrypt("zhao@example.com")
        session.execute(update(ContactDetails).values(email=token))
    waiting = run_command(store_url, tmp_path, "")
    assert (waiting.returncode, "1 封邮件留在待发" in waiting.stdout) == (0, True)
    wrong = run_command(store_url, tmp_path, "http://user:secret@host")
    assert wrong.returncode == 1
    assert "CONSULT_SMTP_URL" in wrong.stderr
    assert "secret" not in wrong.stderr
    sent = run_command(store_url, tmp_path, f"smtp://127.0.0.1:{mailer._server.port}")
    assert "已发 1 封" in sent.stdout, sent.stderr
    assert len(inbox.taken) == 1
