"""Home, overview, public table and single comment, results, plan items."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from markupsafe import Markup, escape

from consult.domain.calendar import local_day
from consult.domain.ledger import PublicCounts, ResultCounts
from consult.domain.periods import ConsultationState
from consult.domain.replies import Outcome
from consult.domain.search_text import highlight
from consult.i18n import _, zh
from consult.public import table_filters
from consult.public.presenters import commenting, wording
from consult.public.presenters.commenting import QuoteView
from consult.public.presenters.public_view import view
from consult.public.presenters.wording import Count, Figure, Moment, Option, Stage, Tag
from consult.queries.drafts import FullDraft
from consult.queries.plan import ItemPage, ItemRow
from consult.queries.published import Filters, Page, PlaceCounts, PublishedComment
from consult.queries.reading import ConsultationHead, ProgrammeView

_EXCERPT = 60
OUTCOMES = tuple(outcome.value for outcome in Outcome)


@dataclass(frozen=True)
class Card:
    """A consultation in a list."""

    slug: str
    title: str
    state: Tag
    unit: str
    period: str
    received: str
    note: str
    figure: Figure


@dataclass(frozen=True)
class ReplyBrief:
    """A recent reply."""

    slug: str
    ref: str
    when: Moment
    unit: str
    title: str
    outcome: Tag
    excerpt: str


def card(head: ConsultationHead, received: int, now: datetime) -> Card:
    """Return a consultation for the home page."""
    return Card(
        slug=head.slug,
        title=head.title,
        state=wording.state_tag(head, now),
        unit=head.owner_unit,
        period=f"{wording.day(head.starts_on)}—{wording.day(head.ends_on)}",
        received=str(received) if received else "",
        note="" if received or head.state is ConsultationState.NOT_STARTED else _("还没有收到意见"),
        figure=wording.figure(head, now),
    )


def home_page(
    programme: ProgrammeView | None,
    heads: Sequence[ConsultationHead],
    counts: Mapping[int, PublicCounts],
    replies: Sequence[tuple[int, PublishedComment]],
    now: datetime,
) -> dict[str, object]:
    """Return what home.html is given."""
    slugs = {head.id: head.slug for head in heads}
    open_now = [head for head in heads if head.is_open]
    others = sorted((head for head in heads if not head.is_open), key=lambda head: head.ends_on, reverse=True)

    def received(head: ConsultationHead) -> int:
        return counts[head.id].received if head.id in counts else 0

    total = sum(received(head) for head in heads)
    shown = sum(counts[head.id].public for head in heads if head.id in counts)
    main = max(open_now, key=lambda head: head.ends_on, default=None)
    return {
        "programme": _programme(programme, now),
        "start_slug": main.slug if main else "",
        # The day, not the minute: a page stays the same while nothing on it changes.
        "as_of": wording.Moment(wording.full_day(local_day(now)), local_day(now).isoformat()),
        "open": tuple(card(head, received(head), now) for head in open_now),
        "other": tuple(card(head, received(head), now) for head in others),
        "replies": tuple(_reply(slugs[key], one) for key, one in replies if key in slugs),
        "totals": (
            wording.pieces(_("收到意见"), total),
            wording.pieces(_("已公开"), shown),
            Count(_("正在征集"), str(len(open_now)), _("件")),
        ),
    }


def _programme(programme: ProgrammeView | None, now: datetime) -> dict[str, object] | None:
    if programme is None:
        return None
    month = local_day(now).month
    first_track = programme.stages[0][0] if programme.stages else ""
    rows = [row for row in programme.stages if row[0] == first_track]
    stages = []
    for _track, when, starts, ends, what in rows:
        state = "done" if ends < month else "now" if starts <= month <= ends else "next"
        stages.append(Stage(zh(when), zh(what), state))
    return {
        "title": programme.title,
        "headline_parts": (_("规划走到一半，"), _("请您来评一评。")),
        "summary": programme.summary,
        "stages": tuple(stages),
    }


def _reply(slug: str, one: PublishedComment) -> ReplyBrief:
    body, reply = one.body.replace("\n", " "), one.reply_body.replace("\n", " ")
    return ReplyBrief(
        slug=slug,
        ref=one.receipt_no,
        when=wording.day_moment(one.replied_at or one.submitted_at),
        unit=one.reply_unit,
        title=body if len(body) <= 30 else body[:29] + "…",
        outcome=wording.outcome_tag(one.outcome),
        excerpt=reply if len(reply) <= _EXCERPT else reply[: _EXCERPT - 1] + "…",
    )


def overview_page(
    head: ConsultationHead,
    draft: FullDraft | None,
    counts: PublicCounts,
    places: PlaceCounts,
    extensions: Sequence[tuple[object, ...]],
    now: datetime,
) -> dict[str, object]:
    """Return what overview.html is given."""
    period = _(
        "%(start)s 00:00 至 %(end)s 24:00", start=wording.full_day(head.starts_on), end=wording.full_day(head.ends_on)
    )
    facts = [
        (_("征集时间"), period),
        (_("牵头单位"), zh(head.owner_unit_name)),
        (_("联系单位"), zh(head.contact_unit)),
        (_("联系电话"), head.contact_phone),
        (_("电子邮箱"), head.contact_email),
        (_("地址"), zh(head.contact_address)),
    ]
    for old, new, reason, _at in extensions:
        facts.append((_("已延期"), _("由 %(old)s 延至 %(new)s：%(reason)s", old=old, new=new, reason=zh(str(reason)))))
    if head.how_to_comment:
        facts.append((_("怎样提意见"), zh(head.how_to_comment)))
    chapters: tuple[dict[str, object], ...] = ()
    if draft:
        sums = common_sums(draft, places)
        chapters = tuple(
            {
                "key": one.section.key,
                "heading": one.section.heading,
                "level": one.section.level,
                "count": sums.get(one.section.key, 0),
            }
            for one in draft.sections
            if one.section.level <= 2
        )
    return {
        "consultation": wording.consultation(head, now, has_draft=draft is not None),
        "summary": tuple(line for line in head.drafting_note.split("\n") if line.strip()),
        "questions": (),
        "chapters": chapters,
        "documents": (),
        "facts": tuple({"label": label, "value": value} for label, value in facts if value),
        "figure": wording.figure(head, now),
        "received": counts.received,
        "counts": wording.counts(counts),
        "version": wording.version(draft.version, current=True) if draft else None,
        "shortening_reason": head.shortening_reason if head.shortened else "",
    }


def common_sums(draft: FullDraft, places: PlaceCounts) -> dict[str, int]:
    """Return public comments per section key, each chapter with what lies below it."""
    parents = {one.section.key: one.section.parent_key for one in draft.sections}
    sums: dict[str, int] = {}
    for one in draft.sections:
        n = places.sections.get(one.section.section_id, 0)
        key: str | None = one.section.key
        while key is not None and n:
            sums[key] = sums.get(key, 0) + n
            key = parents.get(key)
    return sums


# -- public table -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class PublicRow:
    """One row of 公众意见."""

    ref: str
    commenter: str
    body: Markup
    reply: str
    submitted: Moment
    unit: str
    replied: Moment | None
    outcome: Tag
    section: str
    section_key: str
    merged: int


def table_page(
    head: ConsultationHead,
    draft: FullDraft | None,
    page: Page,
    filters: Filters,
    counts: PublicCounts,
    units: Sequence[tuple[str, str]],
    matched: str | None,
    now: datetime,
    *,
    base: str,
    file: str,
    newer: str,
    older: str,
) -> dict[str, object]:
    """Return what table.html is given; `newer` and `older` are keyset positions or empty."""
    sections = draft.sections if draft else ()
    return {
        "consultation": wording.consultation(head, now, has_draft=draft is not None),
        "rows": tuple(_table_row(one, filters.q) for one in page.rows),
        "filters": filters,
        "sections": (
            Option("", _("全部章节")),
            Option("whole", _("整体（整份报告）")),
            *(Option(one.section.key, "　" * (one.section.level - 1) + one.section.heading) for one in sections),
        ),
        "units": (Option("", _("全部单位")), *(Option(code, name) for code, name in units)),
        "outcomes": (
            Option("", _("全部结果")),
            Option("waiting", _("办理中")),
            *(Option(key, wording.outcome_words(key)) for key in OUTCOMES),
        ),
        "filtered": filters.any,
        "summary": _summary(filters, counts, matched),
        "received": counts.received,
        "public": counts.public,
        "counts": wording.counts(counts),
        "newer_url": _page_url(base, filters, before=newer) if newer else "",
        "older_url": _page_url(base, filters, after=older) if older else "",
        "csv_url": _page_url(file, filters).rstrip("?") if page.rows else "",
    }


def _summary(filters: Filters, counts: PublicCounts, matched: str | None) -> str:
    if not filters.any or matched is None:
        return _("公开意见 %(n)s 条，按提交时间从新到旧", n=counts.public)
    if filters.q:
        return _("含“%(q)s”的意见 %(n)s 条，按提交时间从新到旧", q=zh(filters.q), n=matched)
    return _("符合条件的意见 %(n)s 条，按提交时间从新到旧", n=matched)


def _page_url(base: str, filters: Filters, **position: str) -> str:
    return base + "?" + urlencode(table_filters.parameters(filters) | position)


def _table_row(one: PublishedComment, q: str) -> PublicRow:
    seen = view(one)
    return PublicRow(
        ref=one.receipt_no,
        commenter=seen.commenter,
        body=marked(seen.comment_body, q),
        reply=zh(marked(seen.reply_body, q)) if seen.answered else waiting_words(one),
        submitted=wording.day_moment(seen.submitted_at),
        unit=seen.reply_unit,
        replied=wording.day_moment(seen.replied_at) if seen.replied_at else None,
        outcome=wording.outcome_tag(one.outcome),
        section=zh(one.section_heading) or _("整体"),
        section_key=one.section_key,
        merged=0,
    )


def marked(text: str, q: str) -> Markup:
    """Return escaped text with every place that the search found marked."""
    if not q:
        return escape(text)
    composed = unicodedata.normalize("NFC", text)  # what the spans count in
    parts: list[Markup] = []
    at = 0
    for start, end in highlight(composed, q):
        parts += (escape(composed[at:start]), Markup("<mark>{}</mark>").format(composed[start:end]))
        at = end
    parts.append(escape(composed[at:]))
    return Markup("").join(parts)


def waiting_words(one: PublishedComment) -> str:
    """Return what stands where a reply will be."""
    if one.lead_unit and one.reply_due_on:
        return _("正在由%(unit)s办理，最迟 %(due)s 答复。", unit=zh(one.lead_unit), due=wording.day(one.reply_due_on))
    if one.lead_unit:
        return _("正在由%(unit)s办理。", unit=zh(one.lead_unit))
    return _("办理中")


@dataclass(frozen=True)
class ReplyView:
    """An official reply."""

    unit: str
    co_units: str
    text: str
    outcome: Tag
    location: str
    reason: str
    when: Moment
    corrections: tuple[str, ...]


def comment_page(head: ConsultationHead, one: PublishedComment, now: datetime, draft_url: str) -> dict[str, object]:
    """Return what comment.html is given."""
    reply = None
    if one.reply_body and one.replied_at:
        reply = ReplyView(
            unit=one.reply_unit,
            co_units="",
            text=view(one).reply_body,
            outcome=wording.outcome_tag(one.outcome),
            location=one.reply_location,
            reason=one.reply_reason,
            when=wording.moment(one.replied_at),
            corrections=(zh(one.correction_note),) if one.correction_note else (),
        )
    place = commenting.place_words(one.block_key) or zh(one.section_heading)
    return {
        "consultation": wording.consultation(head, now),
        "ref": one.receipt_no,
        "commenter": one.commenter,
        "text": one.body,
        "submitted": wording.moment(one.submitted_at),
        "section": zh(one.section_heading) or _("整体"),
        "section_key": one.section_key,
        "quote": QuoteView(one.quote, place, f"{draft_url}{one.section_key}/#b-{one.block_key}") if one.quote else None,
        "state": wording.outcome_tag(one.outcome),
        "waiting": waiting_words(one),
        "merged": 1 if one.merged_into else 0,
        "reply": reply,
    }


# -- results ----------------------------------------------------------------------------------------


def _quoted(title: str) -> str:
    """Return a title in the brackets of a document's name; one that has them already is left alone."""
    return title if title.startswith("《") else f"《{title}》"


def results_page(
    head: ConsultationHead,
    draft: FullDraft | None,
    counts: PublicCounts,
    results: ResultCounts,
    places: PlaceCounts,
    now: datetime,
) -> dict[str, object]:
    """Return what results.html is given: the counts of the announcement, zeros included (R-103)."""
    by_outcome = {key: getattr(results, key) for key in OUTCOMES}
    replied = results.replied_total
    period = _("%(start)s至%(end)s", start=wording.full_day(head.starts_on), end=wording.full_day(head.ends_on))
    if counts.received == 0:
        notice: tuple[str, ...] = (
            _(
                "%(period)s，我们就%(title)s向社会公开征求意见，期间没有收到意见。",
                period=period,
                title=zh(_quoted(head.title)),
            ),
        )
    else:
        notice = (
            _(
                "%(period)s，我们就%(title)s向社会公开征求意见，共收到意见 %(total)s 条。",
                period=period,
                title=zh(_quoted(head.title)),
                total=counts.received,
            ),
            _(
                "办理结果：采纳 %(adopted)s 条，部分采纳 %(partly)s 条，不采纳 %(not_adopted)s 条，"
                "解释说明 %(explained)s 条，留作参考 %(reference)s 条；告知其他渠道 %(channel)s 条，"
                "不予受理 %(refused)s 条，提交人撤回 %(withdrawn)s 条。",
                adopted=by_outcome["adopted"],
                partly=by_outcome["partly_adopted"],
                not_adopted=by_outcome["not_adopted"],
                explained=by_outcome["explained"],
                reference=by_outcome["reference"],
                channel=counts.channel_notice,
                refused=counts.not_accepted,
                withdrawn=counts.withdrawn,
            ),
        )
    sums = common_sums(draft, places) if draft else {}
    most = max(sums.values(), default=0)
    return {
        "consultation": wording.consultation(head, now, has_draft=draft is not None),
        "title_parts": (_("关于"), *map(zh, wording.title_parts(_quoted(head.title))), _("公开征集意见采纳情况的公告")),
        "byline": zh(head.owner_unit_name),
        "notice": notice,
        "outcomes": tuple(
            {
                "label": wording.outcome_words(key),
                "count": n,
                "share": f"{n * 100 / replied:.1f}%" if replied else "—",
                "percent": round(n * 100 / replied, 1) if replied else 0,
                "tone": wording.outcome_tag(key).tone,
            }
            for key, n in by_outcome.items()
        ),
        "received": counts.received,
        "counts": wording.counts(counts),
        "rate": results.adoption_rate,
        "sections": tuple(
            {
                "heading": one.section.heading,
                "count": sums.get(one.section.key, 0),
                "percent": round(sums.get(one.section.key, 0) * 100 / most, 1) if most else 0,
            }
            for one in (draft.sections if draft else ())
            if one.section.level == 2
        ),
        "changes": (),
        "document": None,
    }


# -- plan -------------------------------------------------------------------------------------------

KIND_ORDER = ("special_plan", "indicator", "key_task", "major_project", "regional_plan")


def kind_words(kind: str) -> str:
    """Return the kind of a plan item in words."""
    return {
        "special_plan": _("专项规划"),
        "indicator": _("主要指标"),
        "key_task": _("重点任务"),
        "major_project": _("重大项目"),
        "regional_plan": _("区域规划"),
    }[kind]


def _annex(kind: str) -> str:
    return {
        "special_plan": _("附件1　区级专项规划责任分解表"),
        "indicator": _("附件2　主要指标责任分解表"),
        "key_task": _("附件3　重点任务责任分解表"),
        "major_project": _("附件4　重大项目责任分解表"),
        "regional_plan": _("区域规划（各街镇、莘庄工业区）"),
    }[kind]


def _leads(item: ItemRow) -> str:
    return "、".join(unit.short_name for unit in item.units if unit.role == "lead")


def _others(item: ItemRow) -> tuple[str, ...]:
    return tuple(unit.short_name for unit in item.units if unit.role != "lead")


def plan_index(items: Sequence[ItemRow], kind: str, unit: str, title: str) -> dict[str, object]:
    """Return what plan_index.html is given: the items by annex, with their lead units."""
    units = {one.code: one.short_name for item in items for one in item.units}
    chosen = [
        item
        for item in items
        if (not kind or item.kind == kind) and (not unit or any(one.code == unit for one in item.units))
    ]
    groups = []
    for name in KIND_ORDER:
        mine = [item for item in chosen if item.kind == name]
        if not mine:
            continue
        note = (
            _("数据时点：年度数据截至 2022-12-31，月度数据和任务进展截至 2023-06-30。") if name == "indicator" else ""
        )
        groups.append(
            {"key": name, "title": _annex(name), "note": note, "items": tuple(_plan_row(item) for item in mine)}
        )
    return {
        "title": title,
        "source": _("来源：闵府办发〔2023〕9号附件1—4；单位写法以来源为准，首个单位为牵头单位。"),
        "groups": tuple(groups),
        "filters": {"kind": kind, "unit": unit},
        "kinds": (Option("", _("全部")), *(Option(name, kind_words(name)) for name in KIND_ORDER)),
        "units": (Option("", _("全部单位")), *(Option(code, name) for code, name in units.items())),
        "matched": len(chosen),
    }


def _plan_row(item: ItemRow) -> dict[str, object]:
    return {
        "key": item.key,
        "number": str(item.position),
        "title": item.title,
        "category": item.category,
        "lead_unit": _leads(item),
        "other_units": "、".join(_others(item)),
        "starred": item.starred,
        "fixed": item.note_count > 0,
    }


def certainty_words(certainty: str) -> str:
    """Return how sure an editorial note is."""
    return {"certain": _("确定"), "likely": _("很可能"), "unclear": _("存疑")}[certainty]


def plan_item(
    page: ItemPage,
    neighbours: tuple[ItemRow | None, ItemRow | None],
    members: Sequence[str],
    sections: Sequence[tuple[str, str, str, str]],
) -> dict[str, object]:
    """Return what plan_item.html is given."""
    item = page.item

    def link(row: ItemRow | None) -> dict[str, str] | None:
        return {"key": row.key, "title": row.title} if row else None

    return {
        "key": item.key,
        "kind": kind_words(item.kind),
        "number": str(item.position),
        "title": item.title,
        "text": item.text,
        "source_text": item.source_text,
        "category": item.category,
        "lead_unit": _leads(item),
        "lead_note": _("责任分解表该格的首个单位；意见默认转该单位主办，分办员可以改。"),
        "other_units": _others(item),
        "members": tuple(members),
        "starred": item.starred,
        "raw_units": item.raw_unit_text,
        "notes": page.remarks,
        "fixes": tuple(
            {
                "source": note.original,
                "repaired": note.repaired,
                "certainty": certainty_words(note.certainty),
                "reason": note.reason,
            }
            for note in page.notes
        ),
        "sections": tuple(
            {"slug": slug, "key": key, "heading": heading, "consultation": title}
            for slug, key, heading, title in sections
        ),
        "previous": link(neighbours[0]),
        "next": link(neighbours[1]),
    }
