"""Accounts and roles: who may hold what, what ends when, and that all of it is recorded."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from consult.db import Store
from consult.domain.comment_states import Role
from consult.domain.errors import ConflictingRoles, DomainError, NotFound, Refused
from consult.models.comments import Comment
from moderation.models import AuditEvent, RoleGrant, StaffMember
from moderation.permissions import STAFF_ROLES, Grant
from moderation.queries import accounts as read
from moderation.services import accounts
from moderation.services.accounts import NewAccount
from moderation.services.audit import By
from tests.support.factories import NOW, World, make_comment, make_staff
from tests.support.staff_site import Browser, fill, signed_in, site_on

ADMIN = By(None, "system")


@pytest.fixture
def world(store: Store) -> World:
    return fill(store)


@pytest.fixture
def app(store: Store, world: World) -> Iterator[Flask]:
    with site_on(store) as app:
        yield app


def _actions(store: Store) -> list[tuple[str, str]]:
    with store.reading() as session:
        rows = session.execute(select(AuditEvent.action, AuditEvent.object_ref).order_by(AuditEvent.id))
        return [(action, ref) for action, ref in rows if action != "sign_in"]


def _grant(store: Store, staff_id: int, role: Role, consultation_id: int | None = None) -> None:
    with store.writing() as session:
        accounts.grant(session, ADMIN, staff_id, Grant(role, consultation_id), NOW)


def _account(store: Store, username: str, person: str, unit_id: int | None = None) -> int:
    with store.writing() as session:
        return accounts.create(session, ADMIN, NewAccount(username, "某某", person, "!", unit_id), NOW)


# -- roles -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", STAFF_ROLES)
@pytest.mark.parametrize("other_account", [False, True], ids=["one account", "two accounts of one person"])
def test_r94_conflicting_roles_are_refused(store: Store, world: World, first: Role, other_account: bool) -> None:
    unit = world.units["JTW"]
    one = _account(store, "one", "the same person", unit)
    two = _account(store, "two", "the same person", unit) if other_account else one
    _grant(store, one, first)
    for second in STAFF_ROLES:
        if second is first:
            continue
        exclusive = {first, second} & {Role.SYSADMIN, Role.SECURITY_AUDITOR}
        if exclusive:
            with pytest.raises(ConflictingRoles):
                _grant(store, two, second)
        else:
            _grant(store, two, second)


def test_r94_another_person_may_hold_what_this_one_may_not(store: Store, world: World) -> None:
    _grant(store, _account(store, "one", "somebody"), Role.SYSADMIN)
    _grant(store, _account(store, "two", "somebody else"), Role.SECURITY_AUDITOR)


def test_r94_a_role_taken_back_conflicts_no_more(store: Store, world: World) -> None:
    one = _account(store, "one", "somebody")
    _grant(store, one, Role.REVIEWER)
    with store.writing() as session:
        [held] = read.account(session, one, NOW).grants
        accounts.revoke(session, ADMIN, one, held.id, NOW)
    _grant(store, one, Role.SECURITY_AUDITOR)


def test_r94_two_administrators_at_once_cannot_give_one_person_both_roles(store: Store, world: World) -> None:
    for turn in range(4):
        ids = [_account(store, f"{name}{turn}", f"person {turn}") for name in ("one", "two")]
        assert _given_at_once(store, ids, (Role.SYSADMIN, Role.SECURITY_AUDITOR)) == ["conflicting_roles"]


def _given_at_once(store: Store, staff_ids: list[int], roles: tuple[Role, ...]) -> list[str]:
    """Give each account its role from a thread of its own; return the codes of the refusals."""
    refused: list[str] = []
    start = threading.Barrier(len(staff_ids))

    def give(staff_id: int, role: Role) -> None:
        start.wait()
        try:
            _grant(store, staff_id, role)
        except DomainError as error:
            refused.append(error.code)

    threads = [threading.Thread(target=give, args=pair) for pair in zip(staff_ids, roles, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return refused


@pytest.mark.parametrize("role", [Role.UNIT_OFFICER, Role.UNIT_LEADER])
def test_a_unit_role_needs_a_unit(store: Store, world: World, role: Role) -> None:
    with pytest.raises(Refused, match="unit_role_needs_unit"):
        _grant(store, _account(store, "one", "somebody"), role)


def test_a_role_is_held_once_in_each_consultation_and_once_everywhere(store: Store, world: World) -> None:
    one = _account(store, "one", "somebody")
    _grant(store, one, Role.REVIEWER)
    _grant(store, one, Role.REVIEWER, world.consultation_id)
    for where in (None, world.consultation_id):
        with pytest.raises(Refused, match="role_held"):
            _grant(store, one, Role.REVIEWER, where)


def test_administrator_and_auditor_are_never_limited_to_one_consultation(store: Store, world: World) -> None:
    with pytest.raises(Refused, match="role_is_everywhere"):
        _grant(store, _account(store, "one", "somebody"), Role.SYSADMIN, world.consultation_id)


def test_a_role_in_an_unknown_consultation_or_for_an_unknown_account_is_not_found(store: Store, world: World) -> None:
    with pytest.raises(NotFound):
        _grant(store, _account(store, "one", "somebody"), Role.REVIEWER, 999_999)
    with pytest.raises(NotFound):
        _grant(store, 999_999, Role.REVIEWER)


def test_the_role_of_another_account_cannot_be_taken_through_this_one(store: Store, world: World) -> None:
    with store.writing() as session:
        [held] = read.account(session, world.viewer("reviewer").staff_id, NOW).grants
        with pytest.raises(NotFound):
            accounts.revoke(session, ADMIN, world.viewer("signer").staff_id, held.id, NOW)


# -- accounts --------------------------------------------------------------------------------------


def test_an_account_name_is_given_once_whatever_its_case(store: Store, world: World) -> None:
    _account(store, "One", "somebody")
    with pytest.raises(Refused, match="username_taken"):
        _account(store, "oNE", "somebody else")


def test_r96_disabling_ends_sessions_and_roles_frees_claimed_comments_and_deletes_nothing(
    app: Flask, store: Store, world: World
) -> None:
    browser = signed_in(app, "reviewer")
    staff_id = world.viewer("reviewer").staff_id
    with store.writing() as session:
        comment = make_comment(session, world)
        session.execute(update(Comment).where(Comment.id == comment.id).values(claimed_by=staff_id, claimed_until=NOW))
    with store.writing() as session:
        accounts.disable(session, ADMIN, staff_id, NOW)
    assert browser.get("/staff/").status_code == 303
    assert Browser(app).sign_in("reviewer").status_code == 422
    with store.reading() as session:
        member = session.get_one(StaffMember, staff_id)
        assert (member.active, member.disabled_at) == (False, NOW)
        assert session.scalar(select(Comment.claimed_by).where(Comment.id == comment.id)) is None
        ended = session.scalars(select(RoleGrant.revoked_at).where(RoleGrant.staff_id == staff_id)).all()
        assert ended == [NOW]
    assert ("account_disable", "reviewer") in _actions(store)


def test_a_disabled_account_gets_no_role_no_password_and_is_not_disabled_again(store: Store, world: World) -> None:
    staff_id = world.viewer("reviewer").staff_id
    with store.writing() as session:
        accounts.disable(session, ADMIN, staff_id, NOW)
    steps: tuple[Callable[[Session], None], ...] = (
        lambda session: accounts.disable(session, ADMIN, staff_id, NOW),
        lambda session: accounts.grant(session, ADMIN, staff_id, Grant(Role.ASSIGNER), NOW),
        lambda session: accounts.reset_password(session, ADMIN, staff_id, "!", NOW),
    )
    for step in steps:
        with store.writing() as session, pytest.raises(Refused, match="already_disabled"):
            step(session)


def test_the_last_administrator_keeps_account_and_role(store: Store, world: World) -> None:
    last = world.viewer("sysadmin").staff_id
    with store.writing() as session:
        [held] = read.account(session, last, NOW).grants
        with pytest.raises(Refused, match="last_administrator"):
            accounts.disable(session, ADMIN, last, NOW)
        with pytest.raises(Refused, match="last_administrator"):
            accounts.revoke(session, ADMIN, last, held.id, NOW)
        make_staff(session, "sysadmin2", None, (Role.SYSADMIN,))
        accounts.revoke(session, ADMIN, last, held.id, NOW)


def test_a_reset_ends_every_session_and_must_be_changed(app: Flask, store: Store, world: World) -> None:
    browser = signed_in(app, "reviewer")
    with store.writing() as session:
        accounts.reset_password(session, ADMIN, world.viewer("reviewer").staff_id, "!", NOW)
    assert browser.get("/staff/").status_code == 303
    with store.reading() as session:
        member = session.get_one(StaffMember, world.viewer("reviewer").staff_id)
        assert (member.password_hash, member.must_change_password) == ("!", True)


def test_a_password_changed_meanwhile_is_not_changed_again(store: Store, world: World) -> None:
    who = By(world.viewer("reviewer").staff_id, "reviewer")
    with store.writing() as session, pytest.raises(Refused, match="password_wrong"):
        accounts.change_password(session, who, "the hash seen before", "!", "", NOW)


def test_r96_every_change_is_in_the_audit_log(store: Store, world: World) -> None:
    one = _account(store, "one", "somebody")
    _grant(store, one, Role.REVIEWER)
    with store.writing() as session:
        accounts.reset_password(session, ADMIN, one, "!", NOW)
        [held] = read.account(session, one, NOW).grants
        accounts.revoke(session, ADMIN, one, held.id, NOW)
        accounts.disable(session, ADMIN, one, NOW)
    wanted = ["account_create", "role_grant", "password_reset", "role_revoke", "account_disable"]
    assert _actions(store) == [(action, "one") for action in wanted]
    with store.reading() as session:
        stored = repr([event.detail for event in session.scalars(select(AuditEvent))])
    assert "somebody" not in stored


# -- pages -----------------------------------------------------------------------------------------


def test_the_administrator_makes_an_account_and_sees_its_password_exactly_once(app: Flask, store: Store) -> None:
    admin = signed_in(app, "sysadmin")
    given = {"username": "wang.wu", "display_name": "王五", "person_no": "MH-77", "unit_id": "", "role": "reviewer"}
    made = admin.post("/staff/admin/users/new", given)
    assert made.status_code == 303
    page = admin.get(made.headers["Location"]).text
    [password] = re.findall(r"<code>([a-z2-9-]{19})</code>", page)
    assert "只显示这一次" in page
    assert "<code>" not in admin.get(made.headers["Location"]).text
    assert password not in made.headers["Location"]
    newcomer = Browser(app)
    assert newcomer.sign_in("wang.wu", password).status_code == 303
    assert newcomer.get("/staff/").headers["Location"] == "/staff/account"
    with store.reading() as session:
        found = session.scalars(select(StaffMember).where(StaffMember.username == "wang.wu")).one()
    assert password not in found.password_hash


def test_a_new_password_is_shown_to_no_other_administrator(app: Flask, store: Store, world: World) -> None:
    with store.writing() as session:
        hashed = session.scalar(select(StaffMember.password_hash).limit(1)) or ""
        make_staff(session, "sysadmin2", None, (Role.SYSADMIN,), password_hash=hashed)
    admin, other = signed_in(app, "sysadmin"), signed_in(app, "sysadmin2")
    location = admin.post(f"/staff/admin/users/{world.viewer('signer').staff_id}/reset").headers["Location"]
    assert "<code>" not in other.get(location).text
    assert "<code>" in admin.get(location).text


def test_a_form_with_mistakes_comes_back_with_everything_typed(app: Flask, store: Store) -> None:
    admin = signed_in(app, "sysadmin")
    before = _count(store)
    given = {"username": "x", "display_name": "王五<b>", "person_no": "", "unit_id": "abc", "role": "king"}
    answer = admin.post("/staff/admin/users/new", given)
    assert answer.status_code == 422
    assert 'value="王五&lt;b&gt;"' in answer.text
    for name in ("username", "person_no", "unit_id", "role"):
        assert f'href="#f-{name}"' in answer.text
    assert _count(store) == before


def test_an_account_that_cannot_get_its_first_role_is_not_made_by_half(app: Flask, store: Store) -> None:
    admin = signed_in(app, "sysadmin")
    before = _count(store)
    given = {"username": "half", "display_name": "王五", "person_no": "1", "unit_id": "", "role": "unit_officer"}
    answer = admin.post("/staff/admin/users/new", given)
    assert answer.status_code == 422
    assert "必须属于一个单位" in answer.text
    assert _count(store) == before


def test_roles_are_given_and_taken_on_the_page_of_the_account(app: Flask, store: Store, world: World) -> None:
    admin = signed_in(app, "sysadmin")
    home = f"/staff/admin/users/{world.viewer('reviewer').staff_id}/"
    assert admin.post(home + "grant", {"role": "assigner"}).status_code == 303
    page = admin.get(home).text
    assert "分办员" in page
    assert "reviewer_twin" in page  # the other account of the same person
    conflict = admin.post(home + "grant", {"role": "security_auditor"})
    assert conflict.status_code == 422
    assert "不能由同一个人兼任" in conflict.text
    for grant_id in re.findall(r'name="grant" value="(\d+)"', page):
        assert admin.post(home + "revoke", {"grant": grant_id}).status_code == 303
    assert "没有角色" in admin.get(home).text


def test_an_administrator_cannot_disable_themselves(app: Flask, world: World) -> None:
    admin = signed_in(app, "sysadmin")
    home = f"/staff/admin/users/{world.viewer('sysadmin').staff_id}/"
    assert "/disable" not in admin.get(home).text
    answer = admin.post(home + "disable")
    assert answer.status_code == 422
    assert "不能停用自己的账号" in answer.text


def test_accounts_are_found_by_name_unit_role_and_state(app: Flask, store: Store, world: World) -> None:
    admin = signed_in(app, "sysadmin")

    def listed(query: str) -> set[str]:
        page = admin.get(f"/staff/admin/users/?{query}").text
        return set(re.findall(r'/staff/admin/users/\d+/">([^<]+)</a>', page))

    assert listed("q=review") == {"reviewer", "reviewer2", "reviewer_twin"}
    assert listed(f"unit={world.units['FGJ']}") == {"fgj_officer", "fgj_leader"}
    assert listed("role=security_auditor") == {"auditor"}
    assert listed("q=%25") == set()
    assert listed("q=a%00b") == set()
    assert len(listed("unit=999999999999999999999&role=king")) == len(world.staff)
    with store.writing() as session:
        accounts.disable(session, ADMIN, world.viewer("reviewer2").staff_id, NOW)
    assert "reviewer2" not in listed("")
    assert listed("state=disabled") == {"reviewer2"}


def test_the_list_goes_on_where_the_page_before_ended(store: Store, world: World) -> None:
    seen: list[str] = []
    after = 0
    with store.reading() as session:
        while True:
            rows, after = read.listed(session, read.AccountFilter(), after, size=5)
            seen += [row.username for row in rows]
            if not after:
                break
    assert sorted(seen) == sorted(world.staff)


def test_an_account_that_does_not_exist_is_not_found(app: Flask) -> None:
    admin = signed_in(app, "sysadmin")
    assert admin.get("/staff/admin/users/999999/").status_code == 404
    for step in ("disable", "reset", "grant", "revoke"):
        answer = admin.post(f"/staff/admin/users/999999/{step}", {"role": "reviewer"})
        assert answer.status_code == 404


def test_shortcuts_are_switched_off_for_good(app: Flask) -> None:
    browser = signed_in(app, "reviewer")
    assert 'data-keys="on"' in browser.get("/staff/").text
    assert browser.post("/staff/shortcuts", {"shortcuts": "off"}).status_code == 303
    assert 'data-keys="off"' in browser.get("/staff/").text


def _count(store: Store) -> int:
    with store.reading() as session:
        return session.scalar(select(func.count()).select_from(StaffMember)) or 0
