"""Every staff page, every method, every role and nobody: the answer follows from the permission table (R-93)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import Rule

from consult.domain.comment_states import Role
from moderation import access
from moderation.permissions import ENDPOINTS, NOBODY_YET, STAFF_ROLES, Viewer, opens
from tests.support import stores
from tests.support.factories import World
from tests.support.staff_site import Browser, fill, signed_in, site_on

ACCOUNT_OF = {
    Role.REVIEWER: "reviewer",
    Role.ASSIGNER: "assigner",
    Role.SIGN_OFF_OFFICER: "signer",
    Role.SUPERVISOR: "supervisor",
    Role.UNIT_OFFICER: "jtw_officer",
    Role.UNIT_LEADER: "jtw_leader",
    Role.SYSADMIN: "sysadmin",
    Role.SECURITY_AUDITOR: "auditor",
}
# Values that name nothing: who may come in gets 404, 422 or an empty page, never somebody's data.
NOTHING = {"int": 987_654_321, "string": "ZP-9999", "path": "nothing", "default": "ZP-9999"}
# Ending the session would make the next answer one to nobody.
NOT_TRIED_SIGNED_IN = {"sign_in.sign_out"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, World]]:
    folder = tmp_path_factory.mktemp("access")
    store = stores.open_store(f"sqlite:///{stores.sqlite_template(folder)}")
    world = fill(store)
    with site_on(store) as app:
        yield app, world
    store.dispose()


@pytest.fixture(scope="module")
def browsers(site: tuple[Flask, World]) -> dict[Role, Browser]:
    app, _world = site
    return {role: signed_in(app, username) for role, username in ACCOUNT_OF.items()}


def staff_rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.rule.startswith(access.PREFIX + "/")]


def address_of(rule: Rule) -> str:
    values = {name: NOTHING[_converter(rule, name)] for name in rule.arguments}
    built = rule.build(values)
    assert built is not None
    return built[1]


def _converter(rule: Rule, name: str) -> str:
    kind = type(rule._converters[name]).__name__.removesuffix("Converter").lower()
    return {"integer": "int", "unicode": "string"}.get(kind, kind)


def requests_of(app: Flask) -> list[tuple[str, str, str]]:
    return [
        (rule.endpoint, method, address_of(rule))
        for rule in staff_rules(app)
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"})
    ]


def test_every_staff_route_is_in_the_table(site: tuple[Flask, World]) -> None:
    app, _world = site
    assert {rule.endpoint for rule in staff_rules(app)} - set(ENDPOINTS) == set()


def test_every_line_of_the_table_is_a_route_under_staff(site: tuple[Flask, World]) -> None:
    app, _world = site
    assert set(ENDPOINTS) - {rule.endpoint for rule in staff_rules(app)} == set()


def test_no_module_of_the_staff_side_serves_a_page_outside_staff(site: tuple[Flask, World]) -> None:
    app, _world = site
    outside = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if app.view_functions[rule.endpoint].__module__.startswith("moderation")
        and not rule.rule.startswith(access.PREFIX + "/")
    }
    assert outside == set()


def test_nobody_who_is_not_signed_in_gets_past_the_sign_in_page(site: tuple[Flask, World]) -> None:
    app, _world = site
    browser = Browser(app)
    token = browser.token()
    wrong = []
    for endpoint, method, address in requests_of(app):
        answer = browser.get(address) if method == "GET" else browser.send(address, {"csrf_token": token})
        if ENDPOINTS[endpoint] == NOBODY_YET:
            expected = answer.status_code in {200, 303, 422}
        else:
            expected = answer.status_code == 303 and answer.headers["Location"].startswith("/staff/sign-in")
        if not expected:
            wrong.append((endpoint, method, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("role", STAFF_ROLES)
def test_r93_every_page_opens_for_exactly_the_roles_of_the_table(
    site: tuple[Flask, World], browsers: dict[Role, Browser], role: Role
) -> None:
    app, world = site
    viewer: Viewer = world.viewer(ACCOUNT_OF[role])
    browser = browsers[role]
    token = browser.token("/staff/account")
    wrong = []
    for endpoint, method, address in requests_of(app):
        if endpoint in NOT_TRIED_SIGNED_IN:
            continue
        answer = browser.get(address) if method == "GET" else browser.send(address, {"csrf_token": token})
        allowed = answer.status_code not in {403, 405} and answer.status_code < 500
        if "/staff/sign-in" in answer.headers.get("Location", ""):
            allowed = False
        if allowed is not opens(viewer, endpoint) or (not allowed and answer.status_code != 403):
            wrong.append((endpoint, method, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("role", STAFF_ROLES)
def test_no_entry_of_the_menu_leads_to_a_refusal(
    site: tuple[Flask, World], browsers: dict[Role, Browser], role: Role
) -> None:
    _app, world = site
    browser = browsers[role]
    page = browser.get("/staff/").text
    menu = page.partition('<nav aria-label="主导航">')[2].partition("</nav>")[0]
    addresses = [part.partition('"')[0] for part in menu.split('href="')[1:]]
    assert "/staff/" in addresses
    viewer = world.viewer(ACCOUNT_OF[role])
    assert ("/staff/admin/users/" in addresses) is opens(viewer, "users_admin.index")
    assert ("/staff/audit" in addresses) is opens(viewer, "audit.index")
    assert {address: browser.get(address).status_code for address in addresses} == dict.fromkeys(addresses, 200)


def test_every_post_of_the_staff_side_needs_the_form_token(
    site: tuple[Flask, World], browsers: dict[Role, Browser]
) -> None:
    app, world = site
    wrong = []
    for endpoint, method, address in requests_of(app):
        if method == "GET" or endpoint in NOT_TRIED_SIGNED_IN:
            continue
        role = next(role for role in STAFF_ROLES if opens(world.viewer(ACCOUNT_OF[role]), endpoint))
        answer = browsers[role].send(address, {})
        if answer.status_code != 422 or "您填写的内容都还在，请再提交一次" not in answer.text:
            wrong.append((endpoint, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("username", [None, "sysadmin", "moderator"])
def test_a_route_that_somebody_forgot_to_put_into_the_table_answers_403(tmp_path: Path, username: str | None) -> None:
    store = stores.open_store(f"sqlite:///{stores.sqlite_template(tmp_path)}")
    fill(store)
    with site_on(store) as app:
        app.add_url_rule("/staff/forgotten", "queue.forgotten", lambda: "never shown")
        browser = signed_in(app, username) if username else Browser(app)
        answer = browser.get("/staff/forgotten")
    assert answer.status_code == 403
    assert "never shown" not in answer.text
    store.dispose()


def test_a_body_of_ten_megabytes_is_read_for_staff_and_for_nobody_else(
    site: tuple[Flask, World], browsers: dict[Role, Browser]
) -> None:
    app, _world = site

    def upload(browser: Browser, address: str, megabytes: float) -> str:
        token = browser.token("/staff/sign-in" if browser is nobody else "/staff/account")
        parts = (
            f'--b\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token}\r\n'.encode(),
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="draft.docx"\r\n\r\n',
            b"x" * int(megabytes * 1024 * 1024),
            b"\r\n--b--\r\n",
        )
        answer = browser.client.post(address, data=b"".join(parts), content_type="multipart/form-data; boundary=b")
        return f"{answer.status_code} {answer.headers.get('Location', '')}".strip()

    staff, nobody = browsers[Role.REVIEWER], Browser(app)
    assert upload(staff, "/staff/shortcuts", 9.9) == "303 /staff/shortcuts"
    assert upload(staff, "/staff/shortcuts", 10.1) == "413"
    assert upload(nobody, "/staff/sign-in", 0.3) == "413"
    assert upload(nobody, "/staff/shortcuts", 0.3) == "303 /staff/sign-in"
