"""The description of /api/v1/ (OpenAPI 3.1), written by hand beside the presenter that fills it."""

from __future__ import annotations

from functools import cache
from typing import Any

from consult.domain.periods import ConsultationState
from consult.domain.replies import Outcome
from consult.public import table_filters
from consult.queries.plan import KINDS

Schema = dict[str, Any]
LARGEST_PAGE = 200
LONGEST = {"q": 50, "section": 40, "unit": 40, "outcome": 40}
"""Characters a filter takes."""

_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "integer", "minimum": 0}
_FLAG: Schema = {"type": "boolean"}
_DAY: Schema = {"type": "string", "format": "date"}
_MOMENT: Schema = {"type": "string", "format": "date-time", "description": "Beijing time, +08:00"}
_ADDRESS: Schema = {"type": "string", "format": "uri-reference"}
_VERSION: Schema = {"type": "integer", "const": 1}
_STATES = [state.value for state in ConsultationState if state is not ConsultationState.DRAFT]
_OUTCOMES = [outcome.value for outcome in Outcome]


def _or_null(schema: Schema) -> Schema:
    found = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        found["enum"] = [*schema["enum"], None]
    return found


def _object(properties: dict[str, Schema], **more: Any) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
        **more,
    }


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_COUNTS = ("received", "public", "waiting", "withheld", "channel_notice", "not_accepted", "withdrawn")
_CONSULTATION: dict[str, Schema] = {
    "slug": _TEXT,
    "short_code": _TEXT,
    "title": _TEXT,
    "owner_unit": _TEXT,
    "state": {"type": "string", "enum": _STATES},
    "is_open": _FLAG,
    "starts_on": _DAY,
    "ends_on": {**_DAY, "description": "The last day; it ends at 24:00"},
    "published_at": _or_null(_MOMENT),
    "results_published_at": _or_null(_MOMENT),
    "terminated_at": _or_null(_MOMENT),
    "counts": _object(
        dict.fromkeys(_COUNTS, _NUMBER), description="`received` is the sum of the six others; they never overlap"
    ),
    "url": _ADDRESS,
}
_COMMENT: dict[str, Schema] = {
    "receipt_no": {**_TEXT, "description": "编号, such as ZP-0318"},
    "commenter": {**_TEXT, "description": "咨询人: masked unless the name's owner agreed to its publication"},
    "comment_body": {**_TEXT, "description": "意见与建议: after redaction"},
    "reply_body": {**_TEXT, "description": "回复内容; 办理中 until a reply is published"},
    "submitted_at": _MOMENT,
    "reply_unit": {**_or_null(_TEXT), "description": "回复单位"},
    "replied_at": _or_null(_MOMENT),
    "outcome": {**_or_null(_TEXT), "description": "采纳情况"},
    "section": {**_TEXT, "description": "章节; 整体 for the whole report"},
    "outcome_code": _or_null({"type": "string", "enum": _OUTCOMES}),
    "section_key": _or_null(_TEXT),
    "url": _ADDRESS,
}
_PLAN_ITEM: dict[str, Schema] = {
    "key": _TEXT,
    "kind": {"type": "string", "enum": list(KINDS)},
    "category": _or_null(_TEXT),
    "title": _TEXT,
    "text": _or_null(_TEXT),
    "starred": _FLAG,
    "units": _list(_object({"code": _TEXT, "name": _TEXT, "role": {"type": "string", "enum": ["lead", "other"]}})),
    "url": _ADDRESS,
}
_NOTE = _object(dict.fromkeys(("code", "location", "original", "repaired", "certainty", "reason"), _TEXT))
_CONTACT = _object(dict.fromkeys(("unit", "phone", "email", "address"), _or_null(_TEXT)))

_SCHEMAS: dict[str, Schema] = {
    "Consultation": _object(_CONSULTATION),
    "ConsultationList": _object(
        {"schema_version": _VERSION, "count": _NUMBER, "items": _list(_ref("Consultation"))},
    ),
    "ConsultationPage": _object(
        {
            "schema_version": _VERSION,
            **_CONSULTATION,
            "drafting_note": _or_null(_TEXT),
            "how_to_comment": _or_null(_TEXT),
            "contact": _CONTACT,
        },
    ),
    "SectionList": _object(
        {
            "schema_version": _VERSION,
            "consultation": _TEXT,
            "version": _or_null({"type": "integer", "minimum": 1}),
            "count": _NUMBER,
            "items": _list(
                _object(
                    {
                        "key": _TEXT,
                        "parent_key": _or_null(_TEXT),
                        "level": {"type": "integer", "minimum": 1},
                        "heading": _TEXT,
                        "public_comments": {**_NUMBER, "description": "On the section itself, not on those below it"},
                        "url": _ADDRESS,
                    }
                )
            ),
        },
    ),
    "Comment": _object(_COMMENT),
    "CommentList": _object(
        {
            "schema_version": _VERSION,
            "consultation": _TEXT,
            "generated_at": _MOMENT,
            "filters": {"type": "object", "additionalProperties": _TEXT},
            "count": {**_NUMBER, "description": "How many match, up to 1,000 when filters are set"},
            "count_is_exact": _FLAG,
            "next": {**_or_null(_ADDRESS), "description": "The next page, null on the last"},
            "items": _list(_ref("Comment")),
        },
    ),
    "CommentPage": _object(
        {
            "schema_version": _VERSION,
            "consultation": _TEXT,
            **_COMMENT,
            "block_key": _or_null(_TEXT),
            "quote": _or_null(_TEXT),
            "draft_location": {**_or_null(_TEXT), "description": "落实位置"},
            "reason": {**_or_null(_TEXT), "description": "理由"},
            "correction_note": _or_null(_TEXT),
            "merged": {**_FLAG, "description": "Answered together with another comment"},
        },
    ),
    "PlanItem": _object(_PLAN_ITEM),
    "PlanItemList": _object({"schema_version": _VERSION, "count": _NUMBER, "items": _list(_ref("PlanItem"))}),
    "PlanItemPage": _object({"schema_version": _VERSION, **_PLAN_ITEM, "editorial_notes": _list(_NOTE)}),
    "Problem": _object(
        {
            "type": {"type": "string", "format": "uri-reference"},
            "title": _TEXT,
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": _TEXT,
        },
        description="RFC 9457",
    ),
}


def _parameter(name: str, place: str, schema: Schema, what: str) -> Schema:
    return {"name": name, "in": place, "required": place == "path", "schema": schema, "description": what}


_SLUG = _parameter("slug", "path", {"type": "string", "minLength": 1}, "The consultation's name in addresses")
_FILTERS = [
    _parameter(
        "q", "query", {**_TEXT, "maxLength": LONGEST["q"]}, "Words to find; blanks between words mean all of them"
    ),
    _parameter("section", "query", {**_TEXT, "maxLength": LONGEST["section"]}, "A section's key, or `whole`"),
    _parameter("unit", "query", {**_TEXT, "maxLength": LONGEST["unit"]}, "The code of the lead unit"),
    _parameter(
        "outcome", "query", {"type": "string", "enum": ["", *table_filters.OUTCOMES]}, "What came of the comment"
    ),
    _parameter("after", "query", _TEXT, "A position taken from `next`"),
    _parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE}, "Comments on a page"),
]


def _get(summary: str, schema: str, parameters: list[Schema] | None = None, *, missing: bool = False) -> Schema:
    problem = {"application/problem+json": {"schema": _ref("Problem")}}
    etag = {"ETag": {"schema": _TEXT, "description": "For If-None-Match"}}
    content = {"application/json": {"schema": _ref(schema)}}
    responses: Schema = {
        "200": {"description": "OK", "headers": etag, "content": content},
        "304": {"description": "Nothing changed since the answer with this ETag"},
    }
    if parameters and any(one["in"] == "query" for one in parameters):
        responses["400"] = {"description": "A parameter cannot be used", "content": problem}
    if missing:
        responses["404"] = {"description": "Unknown, or not public", "content": problem}
    responses["503"] = {"description": "The store is busy; try again", "content": problem}
    return {"get": {"summary": summary, "parameters": parameters or [], "responses": responses}}


def _path(name: str, what: str) -> Schema:
    return _parameter(name, "path", {"type": "string", "minLength": 1}, what)


@cache
def document() -> Schema:
    """Return the whole description."""
    one = "/consultations/{slug}"
    kind = _parameter("kind", "query", {"type": "string", "enum": ["", *KINDS]}, "One kind of item only")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "开门评公开数据",
            "version": "1",
            "description": "Published consultations, comments and replies, read-only. Nothing unpublished is here, and "
            "names are masked exactly as on the pages. No key and no cookie is needed.",
        },
        "servers": [{"url": "/api/v1"}],
        "paths": {
            "/consultations": _get("Every published consultation", "ConsultationList"),
            one: _get("One consultation", "ConsultationPage", [_SLUG], missing=True),
            f"{one}/sections": _get("The outline of the current draft", "SectionList", [_SLUG], missing=True),
            f"{one}/comments": _get(
                "Published comments with their replies, newest first", "CommentList", [_SLUG, *_FILTERS], missing=True
            ),
            f"{one}/comments/{{ref}}": _get(
                "One published comment", "CommentPage", [_SLUG, _path("ref", "编号, such as ZP-0318")], missing=True
            ),
            "/plan/items": _get("The plan's items with their units", "PlanItemList", [kind]),
            "/plan/items/{key}": _get("One item", "PlanItemPage", [_path("key", "The item's key")], missing=True),
        },
        "components": {"schemas": _SCHEMAS},
    }
