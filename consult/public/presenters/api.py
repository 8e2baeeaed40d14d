"""Published data as JSON: the keys of exports.md, Beijing times in ISO 8601, null for nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from consult.domain import public_table
from consult.domain.ledger import PublicCounts
from consult.domain.tables import iso_text, json_value
from consult.public import table_filters
from consult.public.presenters.public_view import view
from consult.queries.drafts import FullDraft
from consult.queries.plan import ItemPage, ItemRow
from consult.queries.published import Filters, Page, PlaceCounts, PublishedComment
from consult.queries.reading import ConsultationHead

SCHEMA_VERSION = 1
Body = dict[str, Any]


def consultations(heads: Sequence[ConsultationHead], counts: Mapping[int, PublicCounts]) -> Body:
    """Return the list of published consultations."""
    items = [_consultation(head, counts.get(head.id, PublicCounts())) for head in heads]
    return {"schema_version": SCHEMA_VERSION, "count": len(items), "items": items}


def consultation(head: ConsultationHead, counts: PublicCounts) -> Body:
    """Return one consultation with what it says about itself."""
    return {
        "schema_version": SCHEMA_VERSION,
        **_consultation(head, counts),
        "drafting_note": head.drafting_note or None,
        "how_to_comment": head.how_to_comment or None,
        "contact": {
            "unit": head.contact_unit or None,
            "phone": head.contact_phone or None,
            "email": head.contact_email or None,
            "address": head.contact_address or None,
        },
    }


def _consultation(head: ConsultationHead, counts: PublicCounts) -> Body:
    return {
        "slug": head.slug,
        "short_code": head.short_code,
        "title": head.title,
        "owner_unit": head.owner_unit,
        "state": head.state.value,
        "is_open": head.is_open,
        "starts_on": head.starts_on.isoformat(),
        "ends_on": head.ends_on.isoformat(),
        "published_at": _moment(head.published_at),
        "results_published_at": _moment(head.feedback_published_at),
        "terminated_at": _moment(head.terminated_at),
        "counts": {
            "received": counts.received,
            "public": counts.public,
            "waiting": counts.waiting,
            "withheld": counts.withheld,
            "channel_notice": counts.channel_notice,
            "not_accepted": counts.not_accepted,
            "withdrawn": counts.withdrawn,
        },
        "url": f"/c/{head.slug}/",
    }


def sections(head: ConsultationHead, draft: FullDraft | None, places: PlaceCounts) -> Body:
    """Return the outline of the current version with the public comments made on each section itself."""
    items = [
        {
            "key": one.section.key,
            "parent_key": one.section.parent_key or None,
            "level": one.section.level,
            "heading": one.section.heading,
            "public_comments": places.sections.get(one.section.section_id, 0),
            "url": f"/c/{head.slug}/draft/{one.section.key}/",
        }
        for one in (draft.sections if draft else ())
    ]
    return {
        "schema_version": SCHEMA_VERSION,
        "consultation": head.slug,
        "version": draft.version.number if draft else None,
        "count": len(items),
        "items": items,
    }


def comments(
    head: ConsultationHead,
    page: Page,
    filters: Filters,
    count: int,
    now: datetime,
    *,
    counted_all: bool,
    path: str,
    after: str,
    limit: int,
) -> Body:
    """Return one page of the public table; `after` is the position of the next one, empty on the last."""
    following = table_filters.parameters(filters) | {"limit": str(limit), "after": after}
    return {
        "schema_version": SCHEMA_VERSION,
        "consultation": head.slug,
        "generated_at": iso_text(now),
        "filters": table_filters.parameters(filters),
        "count": count,
        "count_is_exact": counted_all,
        "next": f"{path}?{urlencode(following)}" if after else None,
        "items": [comment_item(head.slug, one) for one in page.rows],
    }


def comment_item(slug: str, one: PublishedComment) -> Body:
    """Return one comment by the keys of exports.md §1, with its number and its places."""
    cells = view(one).row()
    return {
        "receipt_no": one.receipt_no,
        **{column.key: json_value(value) for column, value in zip(public_table.COLUMNS, cells, strict=True)},
        "outcome_code": (one.outcome or None) if one.reply_body else None,
        "section_key": one.section_key or None,
        "url": f"/c/{slug}/comments/{one.receipt_no}/",
    }


def comment(head: ConsultationHead, one: PublishedComment) -> Body:
    """Return one comment with everything its page shows."""
    return {
        "schema_version": SCHEMA_VERSION,
        "consultation": head.slug,
        **comment_item(head.slug, one),
        "block_key": one.block_key or None,
        "quote": one.quote or None,
        "draft_location": one.reply_location or None,
        "reason": one.reply_reason or None,
        "correction_note": one.correction_note or None,
        "merged": one.merged_into,
    }


def plan_items(rows: Sequence[ItemRow]) -> Body:
    """Return the items of the plan."""
    items = [_plan_item(row) for row in rows]
    return {"schema_version": SCHEMA_VERSION, "count": len(items), "items": items}


def plan_item(page: ItemPage) -> Body:
    """Return one item with its editorial notes (R-12)."""
    notes = [
        {
            "code": note.code,
            "location": note.location,
            "original": note.original,
            "repaired": note.repaired,
            "certainty": note.certainty,
            "reason": note.reason,
        }
        for note in page.notes
    ]
    return {"schema_version": SCHEMA_VERSION, **_plan_item(page.item), "editorial_notes": notes}


def _plan_item(row: ItemRow) -> Body:
    return {
        "key": row.key,
        "kind": row.kind,
        "category": row.category or None,
        "title": row.title,
        "text": row.text or None,
        "starred": row.starred,
        "units": [{"code": unit.code, "name": unit.name, "role": unit.role} for unit in row.units],
        "url": f"/plan/{row.key}/",
    }


def _moment(value: datetime | None) -> str | None:
    return iso_text(value) if value is not None else None
