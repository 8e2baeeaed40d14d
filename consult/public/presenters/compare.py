"""Two versions of a draft side by side, as a list of what changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup

from consult.domain.compare import Change, Comparison, Op, Row, TextRun, VersionBlock, compare_versions
from consult.i18n import _, zh
from consult.public.presenters import wording
from consult.public.presenters.commenting import place_words
from consult.public.presenters.reading import versions_of
from consult.public.presenters.wording import Tag
from consult.queries.drafts import FullDraft, VersionRow
from consult.queries.reading import ConsultationHead

_MARKS = {Op.SAME: Markup("{}"), Op.ADDED: Markup("<ins>{}</ins>"), Op.DELETED: Markup("<del>{}</del>")}


def compare(old: FullDraft, new: FullDraft) -> Comparison:
    """Compare the text of two versions, headings included."""
    return compare_versions(_blocks(old), _blocks(new))


def _blocks(draft: FullDraft) -> list[VersionBlock]:
    found = [VersionBlock(block.text, f"intro/{block.key}") for block in draft.intro]
    for one in draft.sections:
        found.append(VersionBlock(one.section.heading, f"{one.section.key}/heading"))
        found += [VersionBlock(block.text, f"{one.section.key}/{block.key}", block.cells) for block in one.blocks]
    return found


def _places(draft: FullDraft) -> list[tuple[str, str]]:
    """Return (section key, words for the place) of every block, in the order of `_blocks`."""
    found = [("", _("导语")) for _block in draft.intro]
    for one in draft.sections:
        found.append((one.section.key, _("%(heading)s（标题）", heading=zh(one.section.heading))))
        found += [
            (one.section.key, _("%(heading)s %(place)s", heading=zh(one.section.heading), place=place_words(block.key)))
            for block in one.blocks
        ]
    return found


def page(
    head: ConsultationHead,
    rows: Sequence[VersionRow],
    old: FullDraft,
    new: FullDraft,
    comparison: Comparison,
    now: datetime,
    compare_url: str,
) -> dict[str, object]:
    """Return what compare.html is given."""
    versions = versions_of(rows)
    places = {"old": _places(old), "new": _places(new)}
    counts = comparison.counts
    return {
        "consultation": wording.consultation(head, now),
        "versions": versions,
        "a": next(one for one in versions if one.number == old.version.number),
        "b": next(one for one in versions if one.number == new.version.number),
        "summary": _(
            "修改 %(changed)s 处，新增 %(added)s 处，删去 %(deleted)s 处，移动 %(moved)s 处。",
            changed=counts[Change.CHANGED],
            added=counts[Change.ADDED],
            deleted=counts[Change.DELETED],
            moved=counts[Change.MOVED],
        ),
        "changes": tuple(_change(row, places) for row in comparison.changes),
        "compare_url": compare_url,
    }


def _change(row: Row, places: dict[str, list[tuple[str, str]]]) -> dict[str, object]:
    key, words = places["new"][row.new] if row.new is not None else places["old"][row.old[0]]
    return {
        "place": words,
        "section_key": key if row.new is not None else "",
        "html": _cells(row) if row.cells else _runs(row.runs),
        "kind": _kind(row),
        "reason": "",
        "refs": (),
    }


def _runs(runs: Sequence[TextRun]) -> Markup:
    return Markup("").join(_MARKS[run.op].format(run.text) for run in runs)


def _cells(row: Row) -> Markup:
    return Markup(" | ").join(_runs(cell.runs) for cell in row.cells)


def _kind(row: Row) -> Tag:
    return {
        Change.CHANGED: Tag(_("修改"), "navy"),
        Change.ADDED: Tag(_("新增"), "open"),
        Change.DELETED: Tag(_("删去"), "red"),
        Change.MOVED: Tag(_("移动"), "soon"),
        Change.SAME: Tag(_("未改"), "plain"),
    }[row.change]
