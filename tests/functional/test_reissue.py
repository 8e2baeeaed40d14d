"""Issuing a lost 查询码 anew: compared, never shown, logged, limited; the old one is void (R-20, R-21, R-53)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from consult.db import Store
from consult.models.comments import CommentEvent, ContactDetails
from moderation.models import AuditEvent, StaffMember
from tests.support import casework
from tests.support.public_site import Site, open_site
from tests.support.staff_site import Browser, password_hash, signed_in
from tests.support.visitors import Visitor

REF, PHONE, EMAIL = "ZP-0001", "13800138000", "zhang.san@example.com"
CODE = re.compile(r'class="code"[^>]*>\s*([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})')


@pytest.fixture
def site(store: Store, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    with open_site(store, tmp_path, **getattr(request, "param", {})) as opened:
        with store.writing() as session:
            session.execute(update(StaffMember).values(password_hash=password_hash()))
        yield opened


@pytest.fixture
def writer(site: Site) -> Visitor:
    visitor = site.visitor()
    visitor.memory["code"] = visitor.query_code(visitor.comment().location)
    return visitor


def ask(browser: Browser, number: str = REF, contact: str = PHONE, reason: str = "not_kept") -> tuple[int, str]:
    sent = {"number": number, "contact": contact, "reason": reason}
    answer = browser.post("/staff/reissue", sent, page="/staff/reissue")
    return answer.status_code, answer.text


@pytest.mark.parametrize("contact", [PHONE, "+86 138-0013-8000", "１３８００１３８０００", EMAIL, f" {EMAIL.upper()} "])
def test_r20_a_caller_who_knows_the_contact_gets_a_new_code_and_the_old_one_is_void(
    site: Site, writer: Visitor, contact: str
) -> None:
    status, page = ask(signed_in(site.app, "reviewer"), " zp-0001 ", contact)
    assert status == 200
    found = CODE.search(page)
    assert found
    assert found[1] != writer.memory["code"]
    assert site.visitor().look_up(found[1]).status == 200
    assert site.visitor().look_up(writer.memory["code"]).status == 422
    assert "赵" not in page
    assert "张三丰" not in page


def test_r98_the_record_says_who_why_and_by_what_and_holds_no_code_or_contact(site: Site, writer: Visitor) -> None:
    _, page = ask(signed_in(site.app, "reviewer"), contact=EMAIL, reason="leaked")
    found = CODE.search(page)
    assert found
    with site.store.reading() as session:
        event = session.scalars(select(CommentEvent).where(CommentEvent.kind == "reissue_code")).one()
        assert (event.actor_id, event.reason) == (site.world.viewer("reviewer").staff_id, "leaked")
        assert event.detail == {"matched_by": "email"}
        said = "\n".join(str(tuple(row)) for row in session.execute(text("SELECT * FROM comment_event")))
    assert found[1].replace("-", "") not in said
    assert EMAIL not in said
    assert "原查询码作废" in site.visitor().look_up(found[1]).text


def test_r21_whatever_does_not_fit_gets_one_answer_and_is_written_down(site: Site, writer: Visitor) -> None:
    browser = signed_in(site.app, "reviewer")
    tries = [
        (REF, "13900139000"),
        ("ZP-0999", PHONE),
        ("nonsense", PHONE),
        (REF, ""),
        (REF, "a@b.example"),
        ("\x00", PHONE),
        (PHONE, PHONE),
    ]
    answers = set()
    for number, contact in tries:
        status, page = ask(browser, number, contact)
        summary = page.partition('<div class="errors"')[2].partition("</div></div>")[0]
        answers.add((status, summary))
    assert len(answers) == 1
    assert next(iter(answers))[0] == 422
    assert "对不上" in next(iter(answers))[1]
    with site.store.reading() as session:
        rows = session.scalars(select(AuditEvent).where(AuditEvent.action == "reissue_code")).all()
    assert [row.result for row in rows] == ["refused"] * len(tries)
    assert {row.object_ref for row in rows} == {REF, "ZP-0999", ""}
    assert site.visitor().look_up(writer.memory["code"]).status == 200


def test_r49_nothing_is_reissued_against_contacts_that_are_only_kept_or_gone(site: Site, writer: Visitor) -> None:
    browser = signed_in(site.app, "reviewer")
    with site.store.writing() as session:
        session.execute(update(ContactDetails).values(legal_hold="litigation"))
    assert ask(browser)[0] == 422
    with site.store.writing() as session:
        session.execute(update(ContactDetails).values(legal_hold="", phone_index=None, email_index=None))
    assert ask(browser)[0] == 422
    assert ask(browser, contact="")[0] == 422


def test_r93_a_comment_out_of_reach_is_answered_as_an_unknown_one(site: Site, writer: Visitor) -> None:
    with site.store.writing() as session:
        casework.get(session, REF).sealed = True
    assert ask(signed_in(site.app, "reviewer"))[0] == 422
    for who in ("assigner", "supervisor", "jtw_officer", "sysadmin", "auditor"):
        assert signed_in(site.app, who).get("/staff/reissue").status_code == 403


def test_a_reason_of_the_list_is_needed_and_what_was_typed_is_kept(site: Site, writer: Visitor) -> None:
    status, page = ask(signed_in(site.app, "reviewer"), reason="因为想要")
    assert status == 422
    assert "请从清单中选择重发的原因" in page
    assert f'value="{REF}"' in page
    assert site.visitor().look_up(writer.memory["code"]).status == 200


def test_guessing_is_limited_by_number_and_by_person(store: Store, tmp_path: Path) -> None:
    with open_site(store, tmp_path, limits_on=True) as site:
        with store.writing() as session:
            session.execute(update(StaffMember).values(password_hash=password_hash()))
        browser = signed_in(site.app, "reviewer")
        one = [ask(browser, REF, f"1390013900{n}")[0] for n in range(6)]
        assert one == [422] * 5 + [429]
        others = [ask(browser, f"ZP-{n:04d}")[0] for n in range(100, 115)]
        assert others == [422] * 14 + [429]
