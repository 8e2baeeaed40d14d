"""The public table as every output gives it: columns, keys and the words of its cells (exports.md §1, R-101, R-106).

Data for machines is Chinese whatever language a page is in; pages translate their own headings.
"""

from __future__ import annotations

from collections.abc import Mapping

from consult.domain.replies import Outcome
from consult.domain.tables import Column, Kind

TITLE = "征集公众意见"
COLUMNS = (
    Column("咨询人", "commenter"),
    Column("意见与建议", "comment_body", width=60),
    Column("回复内容", "reply_body", width=60),
    Column("提交时间", "submitted_at", Kind.MOMENT, 18),
    Column("回复单位", "reply_unit", width=18),
    Column("回复时间", "replied_at", Kind.MOMENT, 18),
    Column("采纳情况", "outcome"),
    Column("章节", "section", width=24),
)
OUTCOMES: Mapping[str, str] = {
    Outcome.ADOPTED: "采纳",
    Outcome.PARTLY_ADOPTED: "部分采纳",
    Outcome.NOT_ADOPTED: "不采纳",
    Outcome.EXPLAINED: "解释说明",
    Outcome.REFERENCE: "留作参考",
}
UNANSWERED = "办理中"
WHOLE_REPORT = "整体"
