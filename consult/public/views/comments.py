"""Commenting: the form, its check page, and the submission."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from consult import clock, db, web
from consult.domain.calendar import WorkCalendar
from consult.domain.comments import CommentValues, FieldRequirements, NewComment, check_new_comment
from consult.domain.errors import DomainError, FieldErrors, NotFound, PeriodClosed
from consult.domain.public_codes import new_query_code
from consult.extensions import chosen_language, csrf
from consult.gateways.blind_index import digest_query_code
from consult.i18n import MESSAGES, say, say_all
from consult.public import challenges, draft_cache
from consult.public.challenges import Answered
from consult.public.forms import CommentForm, FormView
from consult.public.presenters import commenting
from consult.queries import calendars, published, reading
from consult.queries.drafts import FullSection, VersionRow
from consult.queries.reading import ConsultationHead
from consult.services import comments
from consult.services.comments import Codes, Place, Stored
from consult.services.contacts import Vault

bp = Blueprint("comments", __name__)
RECEIPT_LIVES = timedelta(minutes=30)
_TEXTS = ("body", "name", "organisation")
_UNREADABLE = "\ufffd"  # what stands for bytes that are no UTF-8 in a multipart form


@dataclass(frozen=True)
class _Ground:
    """What every answer of the form needs: the consultation, its current draft and the moment."""

    head: ConsultationHead
    version: VersionRow | None
    sections: tuple[FullSection, ...]
    now: datetime
    calendar: WorkCalendar | None


def _ground(slug: str, now: datetime) -> _Ground:
    with db.reading() as session:
        head = reading.consultation(session, slug, now)
        if head is None or head.terminated_at is not None:
            raise NotFound(object="consultation")
        draft = draft_cache.current(session, head.id)
        sections = draft.sections if draft else ()
        # Read before the write lock is taken, and only by who may store something.
        calendar = calendars.work_calendar(session) if request.method == "POST" else None
        return _Ground(head, draft.version if draft else None, sections, now, calendar)


def _beside_the_form(ground: _Ground, section: str) -> tuple[int, tuple[str, ...]]:
    """Return what only a drawn form shows: how many have spoken here, and the units of the privacy notice."""
    chosen = next((one.section for one in ground.sections if one.section.key == section), None)
    with db.reading() as session:
        counts = published.place_counts(session, ground.head.id).sections if chosen else {}
        units = reading.possible_lead_units(session)
    return counts.get(chosen.section_id, 0) if chosen else 0, units


@bp.route("/c/<slug>/comment/", methods=["GET", "POST"], endpoint="form")
def form(slug: str) -> ResponseReturnValue:
    """Show the form, show what was typed for checking, or store the comment."""
    now = clock.utc_now()
    unreadable = _not_utf8() if request.method == "POST" else frozenset()
    typed = CommentForm(formdata=request.form if request.method == "POST" else _from_address(), meta=_meta())
    ground = _ground(slug, now)
    if not ground.head.is_open:
        return _closed(ground, typed)
    if request.method == "GET":
        return _form_page(ground, typed, {})
    if "refresh_captcha" in request.form:
        return _form_page(ground, typed, {}, new_challenge=True)
    if request.form.get("step") == "edit":
        return _form_page(ground, typed, {})
    errors, new = _check(ground, typed)
    errors |= {name: str(MESSAGES["text_noncharacter"]) for name in _TEXTS if name in unreadable}
    if errors or new is None:
        return _form_page(ground, typed, errors, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    if request.form.get("step") == "check":
        return _check_page(ground, typed)
    return _submit(ground, typed, new)


csrf.exempt(form)  # checked inside, so that a lost session never loses what was typed


def _from_address() -> MultiDict[str, str]:
    """Return what a link may fill in: the place only, so that no link ticks a consent or carries a name (R-45)."""
    return MultiDict((name, request.args[name]) for name in ("section", "block", "quote", "v") if name in request.args)


def _not_utf8() -> frozenset[str]:
    """Return the fields whose bytes are no UTF-8; read before the form is, which writes such bytes as %ED%A0."""
    if request.mimetype != "application/x-www-form-urlencoded":
        return frozenset()
    found = set()
    for pair in request.get_data(cache=True).split(b"&"):
        name, _, value = pair.partition(b"=")
        try:
            unquote_to_bytes(value).decode()
        except UnicodeDecodeError:
            found.add(name.decode("ascii", "replace"))
    return frozenset(found)


def _meta() -> dict[str, bool]:
    """Leave the token to a POST; a GET fills the form from the address."""
    return {"csrf": request.method == "POST"}


def _check(ground: _Ground, typed: CommentForm) -> tuple[dict[str, str], NewComment | None]:
    """Return one message per field that needs attention, in the order of the page, and the cleaned comment."""
    errors: dict[str, str] = {}
    if not typed.validate():
        errors[""] = str(MESSAGES["session_lost"])
    place = _place(ground, typed)
    try:
        if place.section:
            with db.reading() as session:
                comments.locate(session, ground.head.id, place)
    except FieldErrors as found:
        errors |= say_all(found)
    new: NewComment | None = None
    try:
        new = check_new_comment(typed.to_values(), _requirements(ground.head))
    except FieldErrors as found:
        errors |= say_all(found)
    for name in _TEXTS:
        if _UNREADABLE in (typed[name].data or ""):
            errors.setdefault(name, str(MESSAGES["text_noncharacter"]))
    if not (typed.captcha_answer.data or "").strip():
        errors["captcha_answer"] = str(MESSAGES["captcha_required"])
    return errors, new


def _requirements(head: ConsultationHead) -> FieldRequirements:
    return FieldRequirements(either=head.contact_rule == "either")


def _place(ground: _Ground, typed: CommentForm) -> Place:
    return Place(
        ground.head.slug,
        (typed.section.data or "").strip(),
        (typed.block.data or "").strip(),
        typed.quote.data or "",
        typed.seen_version,
    )


def _submit(ground: _Ground, typed: CommentForm, new: NewComment) -> ResponseReturnValue:
    now, slug = ground.now, ground.head.slug
    challenge_id = (typed.captcha_id.data or "").strip()
    key = challenges.submission_key(challenge_id)
    outcome = challenges.answer(challenge_id, slug, typed.captcha_answer.data or "", now)
    if outcome.answered is Answered.TOO_MANY:
        return _over_limit(ground, typed, outcome.wait)
    if outcome.answered is Answered.GONE:
        stored = challenges.wait_for(key, lambda: _same_again(key, new.body, now), now)
        if stored is not None:
            return _to_receipt(slug, stored)
    if not outcome.answered.accepted:
        code = {Answered.GONE: "captcha_expired", Answered.TOO_FAST: "too_fast"}.get(outcome.answered, "captcha_wrong")
        errors = {"captcha_answer": str(MESSAGES[code])}
        return _form_page(ground, typed, errors, new_challenge=True, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        return _store(ground, typed, new, key, outcome.answered)
    except DomainError:
        challenges.give_up(key, now)
        raise


def _store(ground: _Ground, typed: CommentForm, new: NewComment, key: str, answered: Answered) -> ResponseReturnValue:
    runtime, now, slug = web.runtime(), ground.now, ground.head.slug
    wait = _admitted(answered)
    if wait:
        challenges.give_up(key, now)
        return _over_limit(ground, typed, wait)
    code_text = new_query_code(secrets.token_bytes)
    # Kept before the comment is committed: a receipt without a comment is never shown, a comment
    # without its code would be a comment its writer cannot find again.
    payload = runtime.cipher.encrypt(code_text)
    runtime.short_lived.put_receipt(key, web.visitor(), payload, now, now + RECEIPT_LIVES)
    codes = Codes(key, digest_query_code(runtime.index_key, code_text).hex())
    flags = _flags(typed, answered)
    calendar = ground.calendar or WorkCalendar()
    try:
        with db.writing() as session:
            stored = comments.submit(
                session,
                _place(ground, typed),
                new,
                codes,
                Vault(runtime.cipher, runtime.index_key),
                calendar,
                now,
                flags=flags,
                language=chosen_language(),
            )
    except FieldErrors as found:
        challenges.give_up(key, now)
        return _form_page(ground, typed, say_all(found), new_challenge=True, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except PeriodClosed:
        challenges.give_up(key, now)
        return _closed(ground, typed)
    return _to_receipt(slug, stored)


def _same_again(key: str, body: str, now: datetime) -> Stored | None:
    """Return the comment this visitor stored with the same answer and the same words: a double click (R-18).

    Other words, or another visitor, with a spent answer are a replay and are refused (R-17).
    """
    visitor = web.known_visitor()
    if visitor is None or web.runtime().short_lived.get_receipt(key, visitor, now) is None:
        return None
    with db.reading() as session:
        return comments.find_submission(session, key, body=body)


def _flags(typed: CommentForm, answered: Answered) -> tuple[str, ...]:
    """Return what a moderator should know; nothing here refuses a comment."""
    marks = []
    if answered is Answered.BY_EAR:
        marks.append("by_sound")
    if (typed.website.data or "").strip():
        marks.append("decoy_filled")
    return tuple(marks)


def _admitted(answered: Answered) -> int:
    """Count one accepted comment; return the seconds to wait when the client has had its share."""
    limits = web.runtime().limits
    wait = web.admit("accepted", web.client(), limits.accepted)
    if not wait:
        wait = web.admit("accepted-near", web.neighbourhood(), limits.accepted_neighbourhood)
    if not wait and answered is Answered.BY_EAR:
        wait = web.admit("accepted-sound", web.client(), limits.accepted_by_sound)
    return wait


def _to_receipt(slug: str, stored: Stored) -> Response:
    return make_response(
        redirect(url_for("receipts.show", slug=slug, handle=stored.submission_key), HTTPStatus.SEE_OTHER)
    )


def _over_limit(ground: _Ground, typed: CommentForm, wait: int) -> Response:
    minutes = max(1, -(-wait // 60))
    message = str(MESSAGES["too_many"]) % {"minutes": minutes}
    challenge_id = (typed.captcha_id.data or "").strip()
    kept = challenge_id if challenges.alive(challenge_id, ground.now) else ""
    response = _render_form(ground, typed, {"": message}, kept, HTTPStatus.TOO_MANY_REQUESTS)
    response.headers["Retry-After"] = str(wait)
    return response


def _form_page(
    ground: _Ground,
    typed: CommentForm,
    errors: Mapping[str, str],
    *,
    new_challenge: bool = False,
    status: int = HTTPStatus.OK,
) -> Response:
    challenge_id = (typed.captcha_id.data or "").strip()
    if new_challenge or not challenges.alive(challenge_id, ground.now):
        wait, challenge_id = challenges.issue(ground.head.slug, ground.now)
        typed.captcha_answer.data = ""
        if wait:
            return _over_limit(ground, typed, wait)
    return _render_form(ground, typed, errors, challenge_id, status)


def _render_form(
    ground: _Ground, typed: CommentForm, errors: Mapping[str, str], challenge_id: str, status: int
) -> Response:
    similar, units = _beside_the_form(ground, (typed.section.data or "").strip())
    page = commenting.form_page(
        ground.head,
        ground.version,
        ground.sections,
        section=(typed.section.data or "").strip(),
        block=(typed.block.data or "").strip(),
        quote=typed.quote.data or "",
        seen_version=typed.seen_version,
        challenge_id=challenge_id,
        now=ground.now,
        similar=similar,
        units=units,
        confirm_code="credit_code" in errors and errors["credit_code"] == str(MESSAGES["credit_code_mismatch"]),
        back_url=url_for("sections.draft", slug=ground.head.slug),
        table_url=url_for("table.index", slug=ground.head.slug),
    )
    values = typed.typed()
    if request.method == "GET" and "submitter_kind" not in request.args:
        values["submitter_kind"] = "individual"
    view = FormView(values, errors)
    response = make_response(render_template("public/comment_form.html", page=page, form=view), status)
    response.headers["Cache-Control"] = "no-store"
    return response


def _check_page(ground: _Ground, typed: CommentForm) -> Response:
    values: CommentValues = typed.to_values()
    page = commenting.check_page(
        ground.head,
        ground.sections,
        values,
        typed.typed(captcha=False),
        ground.now,
        challenge_id=(typed.captcha_id.data or "").strip(),
        captcha_answer=typed.captcha_answer.data or "",
    )
    response = make_response(render_template("public/comment_check.html", page=page, form=FormView(typed.typed(), {})))
    response.headers["Cache-Control"] = "no-store"
    return response


def _closed(ground: _Ground, typed: CommentForm) -> Response:
    closed: DomainError = PeriodClosed(ground.head.state, ground.head.window.opens_at, ground.head.window.closes_at)
    page = commenting.closed_page(ground.head, ground.now, say(closed), typed.typed())
    response = make_response(render_template("public/closed.html", page=page), HTTPStatus.FORBIDDEN)
    response.headers["Cache-Control"] = "no-store"
    return response
