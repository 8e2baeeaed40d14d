"""The permission table against the matrix of the domain (rules.md §9), cell by cell."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import pytest

from consult.domain.comment_states import Role
from consult.domain.errors import Refused
from consult.i18n import MESSAGES
from moderation.domain.accounts import check_display_name, check_password, check_username, fold_username, person_key
from moderation.permissions import (
    ENDPOINTS,
    GRANTS,
    STAFF_ROLES,
    UNIT_ROLES,
    Grant,
    Permission,
    Reach,
    Viewer,
    conflicting,
    opens,
)
from moderation.presenters.frame import MENU, ROLE_LABELS

MATRIX = json.loads((Path(__file__).parents[1] / "data" / "vectors.json").read_text("utf-8"))["permissions"]["matrix"]
# Lines of the matrix that everybody has, or that belong to the holder of the 查询码: no staff permission.
WITHOUT_PERMISSION = {"view_public", "submit_supplement_withdraw"}
# Lines of rules.md §9 that the vectors leave out.
ONLY_IN_RULES = {"enter_on_behalf", "record_paper_approval"}


def viewer(*roles: Role, unit_id: int | None = 7, consultation_id: int | None = None) -> Viewer:
    return Viewer(1, "x", "某某", "p", unit_id, frozenset(Grant(role, consultation_id) for role in roles))


def test_every_line_of_the_matrix_is_a_permission_and_the_other_way_round() -> None:
    assert {str(each) for each in Permission} - ONLY_IN_RULES == set(MATRIX) - WITHOUT_PERMISSION


@pytest.mark.parametrize(
    ("line", "role"),
    [(line, role) for line in MATRIX if line not in WITHOUT_PERMISSION for role in STAFF_ROLES],
    ids=lambda value: str(value),
)
def test_r93_every_cell_of_the_matrix_holds(line: str, role: Role) -> None:
    scope = MATRIX[line][role.value]
    permission = Permission(line)
    granted = GRANTS[permission].get(role)
    assert (granted.value if granted else "-") == scope
    reach = viewer(role).reach(permission)
    expected = {
        "-": Reach(),
        "A": Reach(everything=True),
        "C": Reach(everything=True),
        "U": Reach(lead_unit=7),
        "u": Reach(co_unit=7),
        "Uu": Reach(lead_unit=7, co_unit=7),
        "S": Reach(supervised_everywhere=True),
    }[scope]
    assert reach == expected
    assert viewer(role).may(permission) is (scope != "-")


@pytest.mark.parametrize("role", STAFF_ROLES)
def test_a_role_in_one_consultation_reaches_no_other(role: Role) -> None:
    for permission in Permission:
        reach = viewer(role, consultation_id=3).reach(permission)
        if MATRIX.get(permission.value, {}).get(role.value) == "C":
            assert reach == Reach(consultations=frozenset({3}))
        if MATRIX.get(permission.value, {}).get(role.value) == "S":
            assert reach == Reach(supervised_in=frozenset({3}))


@pytest.mark.parametrize("role", sorted(UNIT_ROLES))
def test_a_unit_role_without_a_unit_reaches_nothing(role: Role) -> None:
    for permission in Permission:
        if permission is not Permission.EXPORT_PUBLIC:
            assert viewer(role, unit_id=None).reach(permission).nothing


def test_r94_administrator_and_auditor_reach_no_comment() -> None:
    for role in (Role.SYSADMIN, Role.SECURITY_AUDITOR):
        held = {permission for permission in Permission if viewer(role).may(permission)}
        assert held <= {Permission.EXPORT_PUBLIC, Permission.CONFIGURE, Permission.READ_AUDIT}


@pytest.mark.parametrize("pair", list(itertools.combinations(STAFF_ROLES, 2)), ids=lambda pair: "+".join(pair))
def test_r94_only_business_roles_may_be_held_together(pair: tuple[Role, Role]) -> None:
    exclusive = {Role.SYSADMIN, Role.SECURITY_AUDITOR}
    assert conflicting(frozenset(pair)) is bool(set(pair) & exclusive)


@pytest.mark.parametrize("role", STAFF_ROLES)
def test_one_role_alone_never_conflicts(role: Role) -> None:
    assert not conflicting(frozenset({role}))


def test_an_endpoint_missing_from_the_table_opens_for_nobody() -> None:
    everything = viewer(*STAFF_ROLES)
    assert "queue.forgotten" not in ENDPOINTS
    assert not opens(everything, "queue.forgotten")
    assert not opens(None, "queue.forgotten")


def test_nobody_opens_a_page_without_signing_in_but_sign_in_and_sign_out() -> None:
    assert {endpoint for endpoint in ENDPOINTS if opens(None, endpoint)} == {"sign_in.sign_in", "sign_in.sign_out"}


def test_every_entry_of_the_menu_is_in_the_table_and_every_role_has_words() -> None:
    assert {endpoint for endpoint, _ in MENU} <= set(ENDPOINTS)
    assert set(ROLE_LABELS) == set(STAFF_ROLES)


def test_a_permission_is_used_in_the_first_role_that_has_it() -> None:
    both = viewer(Role.SUPERVISOR, Role.ASSIGNER)
    assert both.role_for(Permission.URGE) is Role.ASSIGNER
    assert both.role_for(Permission.DESIGNATE) is Role.SUPERVISOR
    with pytest.raises(LookupError):
        both.role_for(Permission.SIGN_OFF)


# -- names, passwords, persons ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length", "code"), [(11, "password_too_short"), (12, ""), (200, ""), (201, "password_too_long")]
)
def test_a_new_password_is_judged_by_its_length_alone(length: int, code: str) -> None:
    if not code:
        check_password("密" * length)
        return
    with pytest.raises(Refused) as refused:
        check_password("密" * length)
    assert refused.value.code == code


@pytest.mark.parametrize("name", ["a", "", "a b", "a" * 33, "-ab", "a\nb", "a;b", "a\0"])
def test_an_account_name_has_2_to_32_letters_digits_or_a_few_signs(name: str) -> None:
    with pytest.raises(Refused, match="username_invalid"):
        check_username(name)


@pytest.mark.parametrize("name", ["li", "li.lei", "王小明", "li_lei-2@fgw"])
def test_ordinary_account_names_are_taken(name: str) -> None:
    assert check_username(name) == name


def test_account_names_are_compared_without_case_and_width() -> None:
    assert fold_username(" Ｌｉ.Lei ") == "li.lei"


@pytest.mark.parametrize("name", ["", "  ", "王" * 51, "王\n五", "王\u202e五"])
def test_a_persons_name_is_one_line_of_at_most_50(name: str) -> None:
    with pytest.raises(Refused):
        check_display_name(name)


def test_r95_the_same_staff_number_is_the_same_person_however_it_is_typed() -> None:
    assert person_key(b"k", "MH-0012") == person_key(b"k", " mh-００12 ")
    assert person_key(b"k", "MH-0012") != person_key(b"k", "MH-0013")
    assert person_key(b"k", "MH-0012") != person_key(b"other", "MH-0012")
    with pytest.raises(Refused, match="person_no_required"):
        person_key(b"k", " 　 ")


def test_every_refusal_of_accounts_has_words() -> None:
    root = Path(__file__).parents[2] / "moderation"
    sources = [root / folder / "accounts.py" for folder in ("domain", "services", "forms")]
    codes = {code for source in sources for code in re.findall(r'Refused\("(\w+)"', source.read_text("utf-8"))}
    assert len(codes) > 15
    assert codes - set(MESSAGES) == set()
