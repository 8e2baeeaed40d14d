"""The demonstration's replies, written for it: one set of words per outcome, varied by what the comment is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moderation.services.replies import ReplyDraft

_ADOPTED = (
    "经研究采纳。修改稿在本节补充了{topic}的分年度安排，并写明牵头单位和完成时间，请您继续监督。",
    "采纳您关于{topic}的建议。我们已核对现场情况，修改稿本节增加相应举措，今年内先行启动第一批。",
)
_PARTLY = (
    "部分采纳。关于{topic}，修改稿本节已补充近期可以实施的内容；涉及用地和资金的部分列入下一步研究。",
    "部分采纳您的意见。{topic}中可由本区直接办理的事项已写入修改稿本节，其余事项已报市级部门。",
)
_NOT_ADOPTED = ("关于{topic}的建议，经会同有关单位核实，本轮评估报告未作修改。我们把核实的情况和数据一并说明如下。",)
_EXPLAINED = ("现就您关心的{topic}说明如下：报告所列数据按统一口径统计，截止时点为评估时点，口径说明见本节注释。",)
_REFERENCE = ("关于{topic}的建议很具体，目前条件还不具备，我们将在编制“十五五”规划时一并研究并回访您。",)
_REASONS = {
    "partly_adopted": "涉及用地指标和跨部门资金安排的内容，需要在年度计划中另行论证，暂不能写入评估报告。",
    "not_adopted": "该事项涉及市级统一规划和现行技术标准，本区不能单独调整，且现有安排已能满足近期需要。",
    "explained": "统计口径由国家和本市统一制度规定，区里不能自行变更，只能在报告中补充说明。",
    "reference": "相关前期研究和测算尚未完成，缺少实施主体和资金来源，现阶段写入报告缺乏依据。",
}
_ORDER = (
    ("adopted", _ADOPTED),
    ("explained", _EXPLAINED),
    ("partly_adopted", _PARTLY),
    ("adopted", _ADOPTED),
    ("reference", _REFERENCE),
    ("not_adopted", _NOT_ADOPTED),
)


def reply_for(record: Mapping[str, Any], section_key: str, position: int) -> ReplyDraft:
    """Return the reply to a comment; without a section in the draft nothing can be adopted into one."""
    outcome, words = _ORDER[position % len(_ORDER)]
    if not section_key and outcome in {"adopted", "partly_adopted"}:
        outcome, words = ("explained", _EXPLAINED) if position % 2 else ("reference", _REFERENCE)
    topic = f"“{record['section']}”" if record.get("section") else "报告整体"
    adopted = outcome in {"adopted", "partly_adopted"}
    return ReplyDraft(
        outcome=outcome,
        body=words[position % len(words)].format(topic=topic),
        reason=_REASONS.get(outcome, ""),
        section_key=section_key if adopted else "",
        version=1 if adopted else None,
    )
