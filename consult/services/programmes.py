"""Programmes: an evaluation with its timetable, under which consultations are held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.models.consultations import Programme, ProgrammeStage


@dataclass(frozen=True, slots=True)
class Stage:
    """One line of a timetable.

    Attributes:
        track: the kind of report the line is about, as the source's first column has it.
        source_when: the time as the source prints it, characters lost in extraction included (R-12).
        when_text: the editorial reading of it, shown as a marked note.
        starts_month, ends_month: 1 to 12, for drawing the timetable.
    """

    track: str
    source_when: str
    when_text: str
    starts_month: int
    ends_month: int
    what: str


MIDTERM_SLUG = "midterm-evaluation"
MIDTERM_TITLE = "闵行区“十四五”规划实施中期评估"
MIDTERM_SUMMARY = (
    "闵行区“十四五”规划实施已过半程。22项主要指标、74项重点任务、74项重大项目做得怎么样，"
    "报告写得实不实，请您逐段提意见。每条意见都有编号、有承办单位、有公开答复。"
)
_OUTLINE, _SPECIAL, _REGIONAL = "《纲要》中期评估", "专项规划评估", "区域规划"

MIDTERM_STAGES: tuple[Stage, ...] = (
    Stage(
        "启动会",
        "3月底",
        "3月底",
        3,
        3,
        "3月底组织召开闵行区“十四五”规划实施中期评估工作启动会,全面部署中期评估工作",
    ),
    Stage("中期评估方案", "4月初", "4月初", 4, 4, "制定下发《闵行区“十四五”规划实施中期评估工作方案》"),
    Stage(
        _OUTLINE,
        "4-5",
        "4-5月",
        4,
        5,
        "各部门、各街镇(莘庄工业区)开展专题评估,5月底前提交专题评估报告",
    ),
    Stage(_OUTLINE, "6", "6月", 6, 6, "区发改委于6月底前牵头起草形成全区“十四五”规划实施中期评估报告(初稿)"),
    Stage(_OUTLINE, "715日前", "7月15日前", 7, 7, "按要求报送市发改委"),
    Stage(_OUTLINE, "7-8", "7-8月", 7, 8, "听取各方意见,修改完善"),
    Stage(_OUTLINE, "8月底前", "8月底前", 8, 8, "形成正式稿报送市发改委"),
    Stage(
        _OUTLINE,
        "10",
        "10月",
        10,
        10,
        "完成区领导意见征求、专家论证,提请区政府常务会议、区委常委会审议",
    ),
    Stage(_OUTLINE, "11", "11月", 11, 11, "报送区人大常委会主任会议、区人大常委会会议审议"),
    Stage(_OUTLINE, "12", "12月", 12, 12, "中期评估报告发布宣传,并于12月底前报送市发改委"),
    Stage(_SPECIAL, "4-7", "4-7月", 4, 7, "24个区级专项规划开展评估并形成初稿,于7月底前报送区发改委"),
    Stage(_SPECIAL, "8-9", "8-9月", 8, 9, "完成征求意见,修改完善后形成正式稿,9月底前报送区发改委"),
    Stage(_SPECIAL, "10-12", "10-12月", 10, 12, "报送区分管领导审定,通过后报送区发改委"),
    Stage(_REGIONAL, "4-7", "4-7月", 4, 7, "14个区域规划开展评估并形成初稿"),
    Stage(_REGIONAL, "8-9", "8-9月", 8, 9, "完成征求意见,修改完善后形成正式稿"),
    Stage(_REGIONAL, "10-12", "10-12月", 10, 12, "提交本级人大、党工委或管委会审议,通过后抄送区发改委"),
)
"""附件6 in its order; the repairs are F54 to F66 of fixes.csv."""


def ensure(session: Session, slug: str, title: str, summary: str, stages: Sequence[Stage]) -> tuple[int, bool]:
    """Return the id of a programme, made when it is missing, and whether it was made now."""
    found = session.scalar(select(Programme.id).where(Programme.slug == slug))
    if found is not None:
        return found, False
    programme = Programme(slug=slug, title=title, summary=summary)
    session.add(programme)
    session.flush()
    counts: dict[str, int] = {}
    for stage in stages:
        counts[stage.track] = counts.get(stage.track, 0) + 1
        session.add(
            ProgrammeStage(
                programme_id=programme.id,
                track=stage.track,
                position=counts[stage.track],
                source_when=stage.source_when,
                when_text=stage.when_text,
                starts_month=stage.starts_month,
                ends_month=stage.ends_month,
                what=stage.what,
            )
        )
    session.flush()
    return programme.id, True


def ensure_midterm(session: Session) -> tuple[int, bool]:
    """Return the mid-term evaluation of the seed notice with the timetable of 附件6, made when missing."""
    return ensure(session, MIDTERM_SLUG, MIDTERM_TITLE, MIDTERM_SUMMARY, MIDTERM_STAGES)
