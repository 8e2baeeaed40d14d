"""The auditor's page: what was done, by whom, from where, and whether the chains hold."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from consult import db, web
from moderation import access
from moderation.forms.accounts import FormView
from moderation.forms.audit import read_filter
from moderation.presenters import audit as present
from moderation.presenters.accounts import Option
from moderation.queries import audit as read
from moderation.services import verification

bp = Blueprint("audit", __name__)
# About two seconds of work; the command line checks everything.
_CHECKED_IN_A_PAGE = 50_000


@bp.get("/audit")
def index() -> ResponseReturnValue:
    """A page of the audit log, or of the comments' own logs; with `check=1` the chains are checked."""
    wanted = read_filter(request.args)
    log = "comments" if request.args.get("log") == "comments" else "staff"
    after = web.decode_cursor(request.args.get("after", ""))
    with db.reading() as session:
        query = read.comment_entries if log == "comments" else read.entries
        page = query(session, wanted, after)
        actions = read.actions(session) if log == "staff" else ()
        checked = verification.check(session, _CHECKED_IN_A_PAGE) if request.args.get("check") == "1" else None
    names = ("username", "action", "result", "object", "since", "until")
    asked: dict[str, Any] = {name: request.args.get(name, "") for name in names}
    older = web.encode_cursor(*page.after) if page.after else ""
    return render_template(
        "staff/audit.html",
        log=log,
        rows=present.lines(page.rows, access.read_address),
        filters=FormView(asked),
        actions=(Option("", _("全部操作")), *(Option(each, present.action_label(each)) for each in actions)),
        results=(Option("", _("全部结果")), Option("done", _("已办理")), Option("refused", _("被拒绝"))),
        older_url=url_for("audit.index", log=log, **asked, after=older) if older else "",
        newest_url=url_for("audit.index", log=log, **asked) if after else "",
        check_url=url_for("audit.index", log=log, check=1),
        verdict=_verdict(checked),
    )


def _verdict(checked: verification.Checked | None) -> present.Verdict | None:
    if checked is None:
        return None
    breaks = ((each.kind, each.chain, each.seq, each.why) for each in checked.breaks)
    return present.verdict(checked.chains, checked.entries, checked.complete, breaks)
