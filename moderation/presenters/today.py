"""Today's work: what waits for this person, with the page where it is done."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l

from moderation.queries.today import Waiting

# kind -> (words, endpoint, arguments); the endpoint's count in the menu is the sum of its kinds.
KINDS = {
    "review": (_l("待审核的意见"), "queue.index", {"tab": "review"}),
    "confirm": (_l("待我确认的不予公开、不予受理"), "queue.index", {"tab": "confirm"}),
    "assign": (_l("待分办的意见"), "queue.index", {"tab": "route"}),
    "returns": (_l("待批的退回申请"), "queue.index", {"tab": "returned"}),
    "extensions": (_l("待批的延期申请"), "queue.index", {"tab": "extension"}),
    "receipt": (_l("待签收"), "unit.index", {}),
    "reply": (_l("待起草、办理中"), "unit.index", {}),
    "approve": (_l("待我确认送审签的回复"), "unit.index", {}),
    "co_feedback": (_l("待反馈的协办意见"), "unit.index", {}),
    "sign_off": (_l("待审签的回复"), "sign_off.index", {}),
    "overdue": (_l("已超期的意见"), "supervision.index", {}),
    "designate": (_l("待指定主办的意见（已退回两次）"), "supervision.index", {}),
    "supervised": (_l("督办中的意见"), "supervision.index", {}),
    "explain": (_l("待我书面说明的督办件"), "supervision.mine", {}),
    "publish": (_l("尚未发布的征集"), "consultations_admin.index", {}),
    "units_without_officer": (_l("没有在岗承办人的单位"), "units_admin.index", {"officer": "none"}),
    "refused_tries": (_l("近24小时被拒绝的操作"), "audit.index", {"result": "refused"}),
}
# Most of what is supervised is overdue, and is counted there.
_NOT_IN_MENU = frozenset({"supervised", "publish", "units_without_officer", "refused_tries"})


@dataclass(frozen=True)
class Work:
    """One line: what, how many, how many of them late, where."""

    label: str
    n: int
    late: int
    url: str


def work(waiting: Iterable[Waiting], present: Collection[str], url: Callable[..., str]) -> tuple[Work, ...]:
    """Return the lines of the page, what waits first; `present` are the endpoints the application has."""
    lines = []
    for each in waiting:
        label, endpoint, arguments = KINDS[each.kind]
        target = url(endpoint, **arguments) if endpoint in present else ""
        lines.append(Work(str(label), each.n, each.late, target))
    return tuple(sorted(lines, key=lambda line: (line.n == 0, line.late == 0)))


def menu_counts(waiting: Iterable[Waiting]) -> dict[str, int]:
    """Return what waits behind each entry of the menu."""
    counts: dict[str, int] = {}
    for each in waiting:
        if each.kind not in _NOT_IN_MENU:
            endpoint = KINDS[each.kind][1]
            counts[endpoint] = counts.get(endpoint, 0) + each.n
    return counts
