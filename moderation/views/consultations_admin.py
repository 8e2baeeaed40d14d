"""Running consultations: list, making one, importing a draft with preview, publishing, extending, collating."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from consult import clock, db, web
from consult.domain.errors import DomainError, FieldErrors, NotAllowed, Refused
from consult.domain.outline_model import DraftRefused, ImportedDraft
from consult.domain.publication import PublicationCheck, PublicationRefused
from consult.gateways import kept_uploads
from consult.gateways.draft_import import read_draft
from consult.gateways.kept_uploads import Upload, UploadGone
from consult.queries import calendars, units
from consult.queries import consultations as read
from consult.queries import drafts as read_drafts
from consult.queries.consultations import ConsultationRow
from consult.services import consultations, drafts, events
from consult.services.consultations import Signer
from consult.services.events import Actor
from moderation import access
from moderation.forms.consultations import ConsultationForm, ExtensionForm, FormView
from moderation.permissions import Permission
from moderation.presenters import consultations as present
from moderation.queries import staff_lookup

bp = Blueprint("consultations_admin", __name__)
_SEEN_BY = (Permission.EDIT_DRAFT, Permission.PUBLISH, Permission.ASSIGN)


# -- pages -----------------------------------------------------------------------------------------


@bp.get("/admin/consultations/")
def index() -> ResponseReturnValue:
    """The consultations this person runs."""
    with db.reading() as session:
        rows = read.list_consultations(session, clock.utc_now(), _within(*_SEEN_BY))
    return render_template(
        "staff/consultations/index.html", rows=[present.line(row) for row in rows], may_create=_may_create()
    )


@bp.route("/admin/consultations/new", methods=["GET", "POST"])
def create() -> ResponseReturnValue:
    """A new consultation; it starts from the outline of 附件5 (R-110)."""
    if not _may_create():
        raise NotAllowed
    if request.method == "GET":
        return _new(FormView({"contact_rule": "both", "retention_months": "6"}))
    now = clock.utc_now()
    form = ConsultationForm.read(request.form)
    try:
        new = form.to_values()
        with db.writing() as session:
            consultations.create(session, new, _actor(Permission.EDIT_DRAFT), now)
    except FieldErrors as errors:
        return _new(FormView(form.values(), present.by_field(errors))), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("consultations_admin.show", slug=new.slug), HTTPStatus.SEE_OTHER)


def _new(form: FormView) -> str:
    with db.reading() as session:
        owners = units.list_units(session, assignable_only=True)
        programmes = read.programmes(session)
    return render_template("staff/consultations/new.html", form=form, owners=owners, programmes=programmes)


@bp.route("/admin/consultations/<slug>/edit", methods=["GET", "POST"])
def edit(slug: str) -> ResponseReturnValue:
    """Change what a consultation says, until it is published."""
    now = clock.utc_now()
    with db.reading() as session:
        row = _row(session, slug, now, Permission.EDIT_DRAFT)
    if request.method == "GET":
        return _edit_page(row, FormView(present.typed_again(row)))
    form = ConsultationForm.read({**request.form, "slug": row.slug, "short_code": row.short_code})
    try:
        new = form.to_values()
        with db.writing() as session:
            consultations.edit(session, slug, new, _actor(Permission.EDIT_DRAFT), now)
    except FieldErrors as errors:
        return _edit_page(row, FormView(form.values(), present.by_field(errors))), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("consultations_admin.show", slug=slug), HTTPStatus.SEE_OTHER)


def _edit_page(row: ConsultationRow, form: FormView) -> str:
    return render_template("staff/consultations/edit.html", form=form, line=present.line(row))


@bp.get("/admin/consultations/<slug>/")
def show(slug: str) -> ResponseReturnValue:
    """One consultation: what it says, its versions, what is missing before it can be published."""
    now = clock.utc_now()
    with db.reading() as session:
        row = _row(session, slug, now, *_SEEN_BY)
        check = _check(session, row, now) if _can_publish(session, row) else None
        versions = read_drafts.versions(session, row.id)
        log = read.history(session, row.id)
        names = staff_lookup.display_names(session, {one.actor_id for one in log if one.actor_id is not None})
        extended = read.extensions(session, row.id)
    return render_template(
        "staff/consultations/show.html",
        line=present.line(row),
        facts=present.facts(row),
        versions=present.versions(versions),
        history=present.history(log, names),
        extensions=present.extensions(extended),
        problems=() if check is None else _problems(check),
        can=_offers(row, check is not None),
    )


# -- the draft -------------------------------------------------------------------------------------


@bp.route("/admin/consultations/<slug>/draft/", methods=["GET", "POST"])
def import_draft(slug: str) -> ResponseReturnValue:
    """Choose a file; it is read and kept for the preview, and nothing is stored until that is confirmed."""
    now = clock.utc_now()
    with db.reading() as session:
        row = _row(session, slug, now, Permission.EDIT_DRAFT)
    if request.method == "GET":
        return _upload_page(row, FormView())
    given, rules = request.files.get("file"), request.files.get("sections")
    if given is None or not given.filename:
        return _upload_page(row, FormView(errors={"file": present.sentence(Refused("file_required"))})), 422
    upload = Upload(given.filename, given.read(), rules.read() if rules is not None and rules.filename else None)
    try:
        draft, text = _read(upload)
        with db.reading() as session:
            drafts.prepare(session, slug, draft, text)
    except DomainError as error:
        # A refused file leaves nothing behind; the reasons stand where the preview's problems would.
        page = _upload_page(row, FormView(errors={"file": present.sentences(error)[0]}), present.sentences(error))
        return page, HTTPStatus.UNPROCESSABLE_ENTITY
    token = kept_uploads.keep(_uploads(), _owner(slug), upload, now)
    return redirect(url_for("consultations_admin.preview", slug=slug, token=token), HTTPStatus.SEE_OTHER)


@bp.get("/admin/consultations/<slug>/draft/<token>/")
def preview(slug: str, token: str) -> ResponseReturnValue:
    """The parsed outline on the left, the problems with their lines on the right."""
    now = clock.utc_now()
    with db.reading() as session:
        row = _row(session, slug, now, Permission.EDIT_DRAFT)
    try:
        upload = kept_uploads.load(_uploads(), token, _owner(slug), now)
    except UploadGone as error:
        return _upload_page(row, FormView(errors={"file": present.sentence(error)})), HTTPStatus.UNPROCESSABLE_ENTITY
    draft, text = _read(upload)
    with db.reading() as session:
        prepared = drafts.prepare(session, slug, draft, text)
    return render_template(
        "staff/consultations/preview.html",
        line=present.line(row),
        name=upload.name,
        title=prepared.title,
        number=prepared.number,
        replaces=prepared.replaces,
        outline=present.outline(prepared),
        blocks=prepared.block_count,
        problems=present.warnings(prepared.warnings),
        token=token,
    )


@bp.post("/admin/consultations/<slug>/draft/<token>/confirm")
def confirm_import(slug: str, token: str) -> ResponseReturnValue:
    """Store the draft that was previewed."""
    now = clock.utc_now()
    with db.reading() as session:
        row = _row(session, slug, now, Permission.EDIT_DRAFT)
    try:
        upload = kept_uploads.load(_uploads(), token, _owner(slug), now)
        draft, text = _read(upload)
        source = drafts.SourceFile(upload.name, hashlib.sha256(upload.data).hexdigest())
        with db.writing() as session:
            drafts.import_draft(session, slug, draft, source, _actor(Permission.EDIT_DRAFT), now, text)
    except Refused as error:
        page = _upload_page(row, FormView(errors={"file": present.sentences(error)[0]}), present.sentences(error))
        return page, HTTPStatus.UNPROCESSABLE_ENTITY
    kept_uploads.drop(_uploads(), token)
    return redirect(url_for("consultations_admin.show", slug=slug), HTTPStatus.SEE_OTHER)


def _upload_page(row: ConsultationRow, form: FormView, problems: tuple[str, ...] = ()) -> str:
    return render_template("staff/consultations/import.html", line=present.line(row), form=form, problems=problems)


def _read(upload: Upload) -> tuple[ImportedDraft, str | None]:
    draft = read_draft(upload.data, upload.name)
    if upload.extra is None:
        return draft, None
    try:
        return draft, upload.extra.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DraftRefused("encoding_unknown") from error


def _uploads() -> Path:
    return web.runtime().files_dir / "uploads"


def _owner(slug: str) -> str:
    """A kept file belongs to one person and one consultation."""
    return f"{access.viewer().staff_id}:{slug}"


# -- publishing and afterwards ---------------------------------------------------------------------


@bp.route("/admin/consultations/<slug>/publish", methods=["GET", "POST"])
def publish(slug: str) -> ResponseReturnValue:
    """Everything that stands against publishing beside the button, then the signature (C00, R-10, R-11)."""
    now = clock.utc_now()
    note = request.form.get("correction_note", "").strip()
    if request.method == "GET":
        return _publish_page(slug, now, FormView())
    try:
        with db.writing() as session:
            row = _row(session, slug, now, Permission.PUBLISH)
            who = access.viewer()
            consultations.publish(
                session,
                row.slug,
                Signer(_actor(Permission.PUBLISH), who.person_key),
                staff_lookup.person_keys(session, consultations.editor_ids(session, slug)),
                calendars.work_calendar(session),
                now,
                note,
            )
    except PublicationRefused as error:
        fields = {one.field: present.sentence(one) for one in error.refusals if one.field == "correction_note"}
        shown = FormView({"correction_note": note}, {str(name): text for name, text in fields.items()})
        return _publish_page(slug, now, shown, note), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("consultations_admin.show", slug=slug), HTTPStatus.SEE_OTHER)


def _publish_page(slug: str, now: Any, form: FormView, note: str = "-") -> str:
    with db.reading() as session:
        row = _row(session, slug, now, Permission.PUBLISH)
        check = _check(session, row, now, note)
    return render_template(
        "staff/consultations/publish.html",
        line=present.line(row),
        facts=present.facts(row),
        form=form,
        first=check.first,
        number=check.number,
        period=f"{present.day(check.starts_on)}—{present.day(check.ends_on)}",
        rollover="" if check.rollover is None else present.day(check.rollover),
        problems=_problems(check),
    )


@bp.route("/admin/consultations/<slug>/extend", methods=["GET", "POST"])
def extend(slug: str) -> ResponseReturnValue:
    """Make the period longer while it runs (R-07)."""
    now = clock.utc_now()
    with db.reading() as session:
        row = _row(session, slug, now, Permission.PUBLISH)
        extended = read.extensions(session, row.id)
    if request.method == "GET":
        return _extend_page(row, FormView(), present.extensions(extended))
    form = ExtensionForm.read(request.form)
    try:
        with db.writing() as session:
            actor = _actor(Permission.PUBLISH)
            consultations.extend(session, slug, form.new_end(), form.reason, actor, now, form.notice_no)
    except FieldErrors as errors:
        shown = FormView(form.values(), present.by_field(errors))
        return _extend_page(row, shown, present.extensions(extended)), HTTPStatus.UNPROCESSABLE_ENTITY
    except Refused as error:
        shown = FormView(form.values(), {error.field or "": present.sentence(error)})
        return _extend_page(row, shown, present.extensions(extended)), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("consultations_admin.show", slug=slug), HTTPStatus.SEE_OTHER)


def _extend_page(row: ConsultationRow, form: FormView, extended: tuple[present.Fact, ...]) -> str:
    return render_template(
        "staff/consultations/extend.html",
        line=present.line(row),
        form=form,
        end=present.day(row.ends_on),
        extensions=extended,
    )


@bp.post("/admin/consultations/<slug>/collate")
def collate(slug: str) -> ResponseReturnValue:
    """Turn an ended consultation to collating (C05)."""
    now = clock.utc_now()
    with db.writing() as session:
        row = _row(session, slug, now, Permission.ASSIGN)
        waiting = read.waiting_comments(session, row.id)
        consultations.start_collating(session, slug, waiting, _actor(Permission.ASSIGN), now)
    return redirect(url_for("consultations_admin.show", slug=slug), HTTPStatus.SEE_OTHER)


# -- who may what ----------------------------------------------------------------------------------


def _actor(permission: Permission) -> Actor:
    who = access.viewer()
    return events.staff(who.staff_id, who.role_for(permission))


def _within(*permissions: Permission) -> frozenset[int] | None:
    """Ids of the consultations any of these permissions reaches whole; None means every one."""
    found: set[int] = set()
    for permission in permissions:
        reach = access.viewer().reach(permission)
        if reach.everything:
            return None
        found |= reach.consultations
    return frozenset(found)


def _row(session: Any, slug: str, now: Any, *permissions: Permission) -> ConsultationRow:
    """Load a consultation these permissions reach; another one does not exist for this person (R-93)."""
    return read.consultation(session, slug, now, _within(*permissions))


def _may(row: ConsultationRow, permission: Permission) -> bool:
    reach = access.viewer().reach(permission)
    return reach.everything or row.id in reach.consultations


def _may_create() -> bool:
    return access.viewer().reach(Permission.EDIT_DRAFT).everything


def _can_publish(session: Any, row: ConsultationRow) -> bool:
    """Whether something could be published here: a first version, or a further one that is in work."""
    if row.state == "archived":
        return False
    return row.state == "draft" or read_drafts.editing_version(session, row.id) is not None


def _offers(row: ConsultationRow, publishable: bool) -> dict[str, bool]:
    return {
        "edit": row.state == "draft" and _may(row, Permission.EDIT_DRAFT),
        "import_draft": row.state != "archived" and _may(row, Permission.EDIT_DRAFT),
        "publish": publishable and _may(row, Permission.PUBLISH),
        "extend": row.state in {"not_started", "open"} and _may(row, Permission.PUBLISH),
        "collate": row.state == "ended" and _may(row, Permission.ASSIGN),
    }


def _check(session: Any, row: ConsultationRow, now: Any, note: str = "-") -> PublicationCheck:
    """What stands against publishing; a note still to be written is not counted before the form is sent."""
    return consultations.check_publication(
        session,
        row.slug,
        access.viewer().person_key if _may(row, Permission.PUBLISH) else "",
        staff_lookup.person_keys(session, consultations.editor_ids(session, row.slug)),
        calendars.work_calendar(session),
        now,
        note,
    )


def _problems(check: PublicationCheck) -> tuple[str, ...]:
    return tuple(line for one in check.refusals for line in present.sentences(one))
