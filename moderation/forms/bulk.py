"""What somebody ticked and chose in the queue."""

from __future__ import annotations

from werkzeug.datastructures import MultiDict

from moderation.domain.bulk import BulkRequest
from moderation.forms.accounts import whole_number

Posted = MultiDict[str, str]


def read_bulk(posted: Posted) -> BulkRequest:
    """Return the request; a row is a 编号 and the version it was seen at, as in ZP-0001@3."""
    rows = []
    for value in posted.getlist("rows"):
        number, _at, seen = value.partition("@")
        rows.append((number[:24], whole_number(seen) or 0))
    action = posted.get("action", "")
    reason = posted.get("withhold_reason" if action == "withhold" else "not_accept_reason", "")
    return BulkRequest(action, rows, reason[:40], posted.get("unit", "").strip()[:40])
