"""The one door to mail: messages of plain text and simple HTML, handed to an SMTP server.

An answer of the server is told apart from none: a message that may have been taken although nobody said so must not
be sent again, because nobody gets the same notice twice.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from types import TracebackType
from urllib.parse import unquote, urlsplit

_TIMEOUT_SECONDS = 20
_LINE_BREAK = re.compile(r"[\r\n\x00\u2028\u2029\x85]")
_DROP = frozenset({550, 551, 553, 501, 510, 511})


class MailRefusedError(Exception):
    """The server refused the message or its recipient for good, or it must not be sent as it is; `code` says why."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class MailDelayedError(Exception):
    """The message was not taken; trying later makes sense."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class MailUncertainError(Exception):
    """The connection broke after the message was handed over and before the answer: it may or may not have arrived."""


@dataclass(frozen=True)
class Letter:
    """One message. `key` is the same for the same occasion and becomes its Message-ID."""

    key: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    html: str
    language: str = "zh-Hans"


@dataclass(frozen=True)
class Server:
    """Where mail is handed over: smtp:// (STARTTLS when the server offers it) or smtps://."""

    host: str
    port: int
    implicit_tls: bool
    username: str
    password: str
    sender: str


def read_smtp_url(url: str, sender: str) -> Server:
    """Return the server of a CONSULT_SMTP_URL such as smtp://user:password@host:25; `?from=` names the sender.

    Raises:
        ValueError: no such address; the message does not show the password.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or port == -1:
        raise ValueError("CONSULT_SMTP_URL must look like smtp://host:25 or smtps://user:password@host:465.")
    implicit = parts.scheme == "smtps"
    found = re.search(r"(?:^|&)from=([^&]+)", parts.query)
    return Server(
        host=parts.hostname,
        port=port or (465 if implicit else 25),
        implicit_tls=implicit,
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        sender=unquote(found[1]) if found else sender,
    )


def build_message(letter: Letter, sender: str, now: datetime) -> EmailMessage:
    """Return the message as it goes out.

    Raises:
        MailRefusedError: a header would hold a line break, or an address is none.
    """
    for value in (letter.subject, letter.key, sender, *letter.recipients):
        if _LINE_BREAK.search(value):
            raise MailRefusedError("header_injection")
    if not letter.recipients:
        raise MailRefusedError("no_recipient")
    message = EmailMessage(policy=SMTP)
    try:
        message["From"] = sender
        message["To"] = [Address(addr_spec=each) for each in letter.recipients]
        host = sender.rpartition("@")[2].rstrip(">") or "localhost"
        safe = re.sub(r"[^A-Za-z0-9.-]", "-", letter.key)
        message["Message-ID"] = f"<{safe}@{host}>"
    except ValueError as error:
        # The parser's own message holds the address, so it goes no further.
        raise MailRefusedError("address_malformed") from error
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(now)
    message["Content-Language"] = letter.language
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    return message


class Mailer:
    """A connection to the server, opened for the first letter and kept for the next ones."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._link: smtplib.SMTP | None = None

    def __enter__(self) -> Mailer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        link, self._link = self._link, None
        if link is not None:
            with suppress(smtplib.SMTPException, OSError):
                link.quit()
            link.close()

    def send(self, letter: Letter, now: datetime) -> None:
        """Hand over one letter; on return the server has taken it for every recipient.

        Raises:
            MailRefusedError: for good.
            MailDelayedError: not taken this time.
            MailUncertainError: taken or not, nobody knows.
        """
        message = build_message(letter, self._server.sender, now)
        sender = self._server.sender.rpartition("<")[2].rstrip(">")
        link = self._open()
        try:
            self._address(link, sender, letter.recipients)
            self._hand_over(link, message.as_bytes())
        except BaseException:
            # The dialogue may stand anywhere; the next letter gets a new one.
            self._drop()
            raise

    def _address(self, link: smtplib.SMTP, sender: str, recipients: Sequence[str]) -> None:
        try:
            _expect(link.mail(sender), for_good=frozenset())
            for recipient in recipients:
                _expect(link.rcpt(recipient), for_good=_DROP)
            _expect(link.docmd("DATA"), for_good=_DROP, wanted=354)
        except (smtplib.SMTPException, OSError) as error:
            raise MailDelayedError(type(error).__name__) from None

    @staticmethod
    def _hand_over(link: smtplib.SMTP, raw: bytes) -> None:
        body = re.sub(rb"(?m)^\.", b"..", raw)
        try:
            link.send(body + (b"" if body.endswith(b"\r\n") else b"\r\n") + b".\r\n")
            answer = link.getreply()
        except (smtplib.SMTPException, OSError):
            raise MailUncertainError from None
        _expect(answer, for_good=frozenset(range(500, 600)))

    def _open(self) -> smtplib.SMTP:
        if self._link is not None:
            try:
                if self._link.noop()[0] == 250:
                    return self._link
            except (smtplib.SMTPException, OSError):
                pass
            self._drop()
        try:
            self._link = self._connect()
        except (smtplib.SMTPException, OSError) as error:
            raise MailDelayedError(type(error).__name__) from None
        return self._link

    def _connect(self) -> smtplib.SMTP:
        server, context = self._server, ssl.create_default_context()
        link: smtplib.SMTP
        if server.implicit_tls:
            link = smtplib.SMTP_SSL(server.host, server.port, timeout=_TIMEOUT_SECONDS, context=context)
        else:
            link = smtplib.SMTP(server.host, server.port, timeout=_TIMEOUT_SECONDS)
        try:
            link.ehlo_or_helo_if_needed()
            if not server.implicit_tls and link.has_extn("starttls"):
                link.starttls(context=context)
                link.ehlo()
            if server.username:
                link.login(server.username, server.password)
        except BaseException:
            link.close()
            raise
        return link

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()


def _expect(answer: tuple[int, bytes], *, for_good: frozenset[int], wanted: int = 250) -> None:
    code = answer[0]
    if code == wanted or (wanted == 250 and code == 251):
        return
    if code in for_good:
        raise MailRefusedError(f"smtp_{code}")
    raise MailDelayedError(f"smtp_{code}")
