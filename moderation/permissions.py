"""The one table of who may do what: roles, permissions, their scope, and the permission of every staff page.

Routes, menus, exports and the every-route × every-role test all read it. Source: rules.md §9 (R-93 to R-97).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from consult.domain.comment_states import Role


class Permission(StrEnum):
    """One line of the permission matrix; the value is its key in the domain's test vectors."""

    EDIT_DRAFT = "edit_draft"
    PUBLISH = "publish_or_extend_consultation"
    VIEW_UNPUBLISHED = "view_unpublished_text"
    REVEAL_CONTACT = "reveal_contact"
    REVIEW = "review_decisions"
    REDACT = "redact"
    WITHHOLD = "propose_or_confirm_withhold"
    DECIDE_APPEAL = "decide_appeal"
    ASSIGN = "assign_merge_return_extension"
    DESIGNATE = "designate_supervise_reopen"
    URGE = "urge"
    DRAFT_REPLY = "sign_receipt_draft_extension"
    CO_FEEDBACK = "co_feedback"
    SUBMIT_REPLY = "request_return_submit_reply"
    SIGN_OFF = "sign_off_reject_correct"
    EXPORT_WITH_CONTACT = "export_handling_list_with_contact"
    EXPORT = "export_handling_list_no_contact"
    EXPORT_PUBLIC = "export_public_and_summary"
    CONFIGURE = "configure_users_units_calendar"
    READ_AUDIT = "read_audit_log"
    ENTER_ON_BEHALF = "enter_on_behalf"
    RECORD_PAPER_APPROVAL = "record_paper_approval"


class Scope(StrEnum):
    """How far a permission reaches."""

    ALL = "A"
    CONSULTATION = "C"
    LEAD = "U"
    CO = "u"
    LEAD_AND_CO = "Uu"
    SUPERVISED = "S"


_P, _R, _S = Permission, Role, Scope
STAFF_ROLES: tuple[Role, ...] = (
    _R.REVIEWER,
    _R.ASSIGNER,
    _R.SIGN_OFF_OFFICER,
    _R.SUPERVISOR,
    _R.UNIT_OFFICER,
    _R.UNIT_LEADER,
    _R.SYSADMIN,
    _R.SECURITY_AUDITOR,
)
UNIT_ROLES = frozenset({_R.UNIT_OFFICER, _R.UNIT_LEADER})
# the administrator, the auditor and everybody else are three kinds of people.
EXCLUSIVE_ROLES = frozenset({_R.SYSADMIN, _R.SECURITY_AUDITOR})

GRANTS: dict[Permission, dict[Role, Scope]] = {
    _P.EDIT_DRAFT: {_R.REVIEWER: _S.CONSULTATION, _R.ASSIGNER: _S.CONSULTATION},
    _P.PUBLISH: {_R.SIGN_OFF_OFFICER: _S.CONSULTATION},
    _P.VIEW_UNPUBLISHED: {
        _R.REVIEWER: _S.CONSULTATION,
        _R.ASSIGNER: _S.CONSULTATION,
        _R.SIGN_OFF_OFFICER: _S.CONSULTATION,
        _R.SUPERVISOR: _S.CONSULTATION,
        _R.UNIT_OFFICER: _S.LEAD_AND_CO,
        _R.UNIT_LEADER: _S.LEAD_AND_CO,
    },
    _P.REVEAL_CONTACT: {
        _R.REVIEWER: _S.CONSULTATION,
        _R.SUPERVISOR: _S.SUPERVISED,
        _R.UNIT_OFFICER: _S.LEAD,
        _R.UNIT_LEADER: _S.LEAD,
    },
    _P.REVIEW: {_R.REVIEWER: _S.CONSULTATION},
    _P.REDACT: {_R.REVIEWER: _S.CONSULTATION, _R.SIGN_OFF_OFFICER: _S.CONSULTATION},
    _P.WITHHOLD: {_R.REVIEWER: _S.CONSULTATION, _R.SIGN_OFF_OFFICER: _S.CONSULTATION},
    _P.DECIDE_APPEAL: {_R.SIGN_OFF_OFFICER: _S.CONSULTATION, _R.SUPERVISOR: _S.CONSULTATION},
    _P.ASSIGN: {_R.ASSIGNER: _S.CONSULTATION},
    _P.DESIGNATE: {_R.SUPERVISOR: _S.CONSULTATION},
    _P.URGE: {_R.ASSIGNER: _S.CONSULTATION, _R.SUPERVISOR: _S.CONSULTATION},
    _P.DRAFT_REPLY: {_R.UNIT_OFFICER: _S.LEAD},
    _P.CO_FEEDBACK: {_R.UNIT_OFFICER: _S.CO, _R.UNIT_LEADER: _S.CO},
    _P.SUBMIT_REPLY: {_R.UNIT_LEADER: _S.LEAD},
    _P.SIGN_OFF: {_R.SIGN_OFF_OFFICER: _S.CONSULTATION},
    _P.EXPORT_WITH_CONTACT: {_R.UNIT_OFFICER: _S.LEAD, _R.UNIT_LEADER: _S.LEAD},
    _P.EXPORT: {
        _R.REVIEWER: _S.CONSULTATION,
        _R.ASSIGNER: _S.CONSULTATION,
        _R.SIGN_OFF_OFFICER: _S.CONSULTATION,
        _R.SUPERVISOR: _S.CONSULTATION,
        _R.UNIT_OFFICER: _S.LEAD_AND_CO,
        _R.UNIT_LEADER: _S.LEAD_AND_CO,
    },
    _P.EXPORT_PUBLIC: dict.fromkeys(STAFF_ROLES, _S.ALL),
    _P.CONFIGURE: {_R.SYSADMIN: _S.ALL},
    _P.READ_AUDIT: {_R.SECURITY_AUDITOR: _S.ALL},
    _P.ENTER_ON_BEHALF: {_R.REVIEWER: _S.CONSULTATION, _R.ASSIGNER: _S.CONSULTATION},
    _P.RECORD_PAPER_APPROVAL: {_R.UNIT_OFFICER: _S.LEAD},
}

# Pages that need more than one permission to be worth opening name every one that opens them; the
# action inside is checked again with its own permission.
ANYBODY_SIGNED_IN: frozenset[Permission] = frozenset()
NOBODY_YET = "nobody yet"  # sign-in and sign-out, which come before there is a viewer

ENDPOINTS: dict[str, frozenset[Permission] | str] = {
    "sign_in.sign_in": NOBODY_YET,
    "sign_in.sign_out": NOBODY_YET,
    "sign_in.account": ANYBODY_SIGNED_IN,
    "sign_in.change_password": ANYBODY_SIGNED_IN,
    "sign_in.revoke_session": ANYBODY_SIGNED_IN,
    "today.index": ANYBODY_SIGNED_IN,
    "today.shortcuts": ANYBODY_SIGNED_IN,
    "queue.index": frozenset({_P.REVIEW, _P.ASSIGN, _P.DESIGNATE, _P.WITHHOLD}),
    "queue.save_filter": frozenset({_P.REVIEW, _P.ASSIGN, _P.DESIGNATE, _P.WITHHOLD}),
    "queue.forget_filter": frozenset({_P.REVIEW, _P.ASSIGN, _P.DESIGNATE, _P.WITHHOLD}),
    "queue.take_next": frozenset({_P.REVIEW, _P.ASSIGN}),
    "queue.claim": frozenset({_P.REVIEW, _P.ASSIGN}),
    "queue.release": frozenset({_P.REVIEW, _P.ASSIGN}),
    "queue.decide_many": frozenset({_P.REVIEW, _P.ASSIGN, _P.WITHHOLD}),
    "queue.results": frozenset({_P.REVIEW, _P.ASSIGN, _P.WITHHOLD}),
    "queue.undo": frozenset({_P.REVIEW, _P.ASSIGN, _P.WITHHOLD}),
    "comment.show": frozenset({_P.VIEW_UNPUBLISHED}),
    "comment.accept": frozenset({_P.REVIEW}),
    "comment.accept_and_route": frozenset({_P.REVIEW}),
    "comment.propose": frozenset({_P.REVIEW, _P.WITHHOLD}),
    "comment.confirm": frozenset({_P.REVIEW, _P.WITHHOLD}),
    "comment.channel": frozenset({_P.REVIEW}),
    "comment.reveal": frozenset({_P.REVEAL_CONTACT}),
    "comment.route": frozenset({_P.REVIEW}),
    "comment.assign": frozenset({_P.ASSIGN}),
    "comment.designate": frozenset({_P.DESIGNATE}),
    "comment.decide_return": frozenset({_P.ASSIGN}),
    "comment.decide_extension": frozenset({_P.ASSIGN}),
    "comment.ask_supplement": frozenset({_P.REVIEW}),
    "comment.unmerge": frozenset({_P.ASSIGN}),
    "merging.show": frozenset({_P.ASSIGN}),
    "merging.into": frozenset({_P.ASSIGN}),
    "merging.gather": frozenset({_P.ASSIGN}),
    "sealed.index": frozenset({_P.WITHHOLD}),
    "sealed.show": frozenset({_P.WITHHOLD}),
    "sealed.decide": frozenset({_P.WITHHOLD}),
    "unit.index": frozenset({_P.DRAFT_REPLY, _P.SUBMIT_REPLY, _P.CO_FEEDBACK}),
    "unit.receipt": frozenset({_P.DRAFT_REPLY}),
    "unit.reply": frozenset({_P.DRAFT_REPLY, _P.SUBMIT_REPLY}),
    "unit.save_reply": frozenset({_P.DRAFT_REPLY}),
    "unit.approve": frozenset({_P.SUBMIT_REPLY}),
    "unit.request_return": frozenset({_P.SUBMIT_REPLY}),
    "unit.request_extension": frozenset({_P.DRAFT_REPLY}),
    "unit.co_feedback": frozenset({_P.CO_FEEDBACK}),
    "sign_off.index": frozenset({_P.SIGN_OFF}),
    "sign_off.show": frozenset({_P.SIGN_OFF}),
    "sign_off.publish": frozenset({_P.SIGN_OFF}),
    "sign_off.reject": frozenset({_P.SIGN_OFF}),
    "sign_off.correction": frozenset({_P.SIGN_OFF}),
    "sign_off.correct": frozenset({_P.SIGN_OFF}),
    "supervision.index": frozenset({_P.DESIGNATE, _P.URGE}),
    "supervision.listing": frozenset({_P.DESIGNATE, _P.URGE}),
    "supervision.show": frozenset({_P.DESIGNATE, _P.URGE, _P.SUBMIT_REPLY}),
    "supervision.urge": frozenset({_P.URGE}),
    "supervision.urge_unit": frozenset({_P.URGE}),
    "supervision.supervise": frozenset({_P.DESIGNATE}),
    "supervision.reopen": frozenset({_P.DESIGNATE}),
    "supervision.mine": frozenset({_P.SUBMIT_REPLY}),
    "supervision.answer": frozenset({_P.SUBMIT_REPLY}),
    "supervision.export": frozenset({_P.DESIGNATE}),
    "exports.index": frozenset({_P.EXPORT, _P.EXPORT_PUBLIC}),
    "exports.create": frozenset({_P.EXPORT, _P.EXPORT_PUBLIC}),
    "exports.show": frozenset({_P.EXPORT, _P.EXPORT_PUBLIC}),
    "exports.download": frozenset({_P.EXPORT, _P.EXPORT_PUBLIC}),
    "exports.cancel": frozenset({_P.EXPORT, _P.EXPORT_PUBLIC}),
    "appeals.index": frozenset({_P.DECIDE_APPEAL}),
    "appeals.show": frozenset({_P.DECIDE_APPEAL}),
    "appeals.decide": frozenset({_P.DECIDE_APPEAL}),
    "reissue.form": frozenset({_P.REVIEW}),
    "reissue.issue": frozenset({_P.REVIEW}),
    "audit.index": frozenset({_P.READ_AUDIT}),
    "consultations_admin.index": frozenset({_P.EDIT_DRAFT, _P.PUBLISH}),
    "consultations_admin.create": frozenset({_P.EDIT_DRAFT}),
    "consultations_admin.edit": frozenset({_P.EDIT_DRAFT}),
    "consultations_admin.show": frozenset({_P.EDIT_DRAFT, _P.PUBLISH}),
    "consultations_admin.import_draft": frozenset({_P.EDIT_DRAFT}),
    "consultations_admin.preview": frozenset({_P.EDIT_DRAFT, _P.PUBLISH}),
    "consultations_admin.confirm_import": frozenset({_P.EDIT_DRAFT}),
    "consultations_admin.publish": frozenset({_P.PUBLISH}),
    "consultations_admin.extend": frozenset({_P.PUBLISH}),
    "consultations_admin.collate": frozenset({_P.ASSIGN}),
    "calendar_admin.index": frozenset({_P.CONFIGURE}),
    "calendar_admin.import_year": frozenset({_P.CONFIGURE}),
    "calendar_admin.show": frozenset({_P.CONFIGURE}),
    "calendar_admin.put_day": frozenset({_P.CONFIGURE}),
    "calendar_admin.remove_day": frozenset({_P.CONFIGURE}),
    "calendar_admin.publish": frozenset({_P.CONFIGURE}),
    "units_admin.index": frozenset({_P.CONFIGURE}),
    "units_admin.show": frozenset({_P.CONFIGURE}),
    "units_admin.rename": frozenset({_P.CONFIGURE}),
    "units_admin.settings": frozenset({_P.CONFIGURE}),
    "units_admin.add_member": frozenset({_P.CONFIGURE}),
    "units_admin.remove_member": frozenset({_P.CONFIGURE}),
    "users_admin.index": frozenset({_P.CONFIGURE}),
    "users_admin.create": frozenset({_P.CONFIGURE}),
    "users_admin.show": frozenset({_P.CONFIGURE}),
    "users_admin.disable": frozenset({_P.CONFIGURE}),
    "users_admin.reset": frozenset({_P.CONFIGURE}),
    "users_admin.grant": frozenset({_P.CONFIGURE}),
    "users_admin.revoke": frozenset({_P.CONFIGURE}),
}


@dataclass(frozen=True)
class Grant:
    """A role, in one consultation or (None) in every one."""

    role: Role
    consultation_id: int | None = None


@dataclass(frozen=True)
class Reach:
    """Which comments a permission reaches for one viewer; queries put it into their WHERE clause.

    Attributes:
        everything: no limit at all.
        consultations: ids of consultations reached whole.
        lead_unit: the unit whose lead items are reached, or None.
        co_unit: the unit whose co-unit items are reached, or None.
        supervised_in: consultations in which only items under supervision are reached; None inside means all.
    """

    everything: bool = False
    consultations: frozenset[int] = frozenset()
    lead_unit: int | None = None
    co_unit: int | None = None
    supervised_everywhere: bool = False
    supervised_in: frozenset[int] = frozenset()

    @property
    def nothing(self) -> bool:
        """Whether nothing is reached."""
        return not (
            self.everything
            or self.consultations
            or self.lead_unit
            or self.co_unit
            or self.supervised_everywhere
            or self.supervised_in
        )


@dataclass(frozen=True)
class Viewer:
    """Who is signed in: one natural person with their grants and their unit."""

    staff_id: int
    username: str
    display_name: str
    person_key: str
    unit_id: int | None
    grants: frozenset[Grant] = field(default_factory=frozenset)
    unit_name: str = ""
    shortcuts: bool = True

    @property
    def roles(self) -> frozenset[Role]:
        """Every role held anywhere."""
        return frozenset(grant.role for grant in self.grants)

    def may(self, permission: Permission) -> bool:
        """Whether the viewer holds a role that has this permission somewhere."""
        return not self.reach(permission).nothing

    def role_for(self, permission: Permission) -> Role:
        """Return the role in which the viewer uses a permission, for the record.

        Raises:
            LookupError: the viewer has no such role; callers check `may` first.
        """
        for role in STAFF_ROLES:
            if role in self.roles and role in GRANTS[permission]:
                return role
        raise LookupError(permission)

    def reach(self, permission: Permission) -> Reach:
        """Return what this permission reaches for the viewer."""
        everything, consultations = False, set[int]()
        lead, co = None, None
        supervised_everywhere, supervised = False, set[int]()
        for grant in self.grants:
            scope = GRANTS[permission].get(grant.role)
            if scope is Scope.ALL or (scope is Scope.CONSULTATION and grant.consultation_id is None):
                everything = True
            elif scope is Scope.CONSULTATION and grant.consultation_id is not None:
                consultations.add(grant.consultation_id)
            elif scope is Scope.SUPERVISED:
                supervised_everywhere = supervised_everywhere or grant.consultation_id is None
                if grant.consultation_id is not None:
                    supervised.add(grant.consultation_id)
            if scope in (Scope.LEAD, Scope.LEAD_AND_CO):
                lead = self.unit_id
            if scope in (Scope.CO, Scope.LEAD_AND_CO):
                co = self.unit_id
        return Reach(everything, frozenset(consultations), lead, co, supervised_everywhere, frozenset(supervised))


def opens(viewer: Viewer | None, endpoint: str) -> bool:
    """Whether the viewer may open a staff endpoint; one that is missing from the table opens for nobody."""
    needed = ENDPOINTS.get(endpoint)
    if needed is None:
        return False
    if isinstance(needed, str):
        return True
    if viewer is None:
        return False
    return not needed or any(viewer.may(permission) for permission in needed)


def conflicting(roles: frozenset[Role]) -> bool:
    """Whether the roles may not be held by one person (R-94)."""
    return bool(roles & EXCLUSIVE_ROLES) and len(roles) > 1
