"""What a reply must contain before it may go to sign-off: R-75, R-76, R-78, R-79."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from consult.domain.comments import user_characters
from consult.domain.errors import (
    BoilerplateReply,
    DomainError,
    DraftLocationRequired,
    FieldErrors,
    OutcomeRequired,
    PiiInReply,
    ReasonRequired,
    ReplyRequired,
)
from consult.domain.personal_data import Level, find

REASON_MINIMUM = 20
SUBSTANCE_MINIMUM = 20


class Outcome(StrEnum):
    """What became of a suggestion; exactly one is chosen (R-75)."""

    ADOPTED = "adopted"
    PARTLY_ADOPTED = "partly_adopted"
    NOT_ADOPTED = "not_adopted"
    EXPLAINED = "explained"
    REFERENCE = "reference"


NEEDS_LOCATION = frozenset({Outcome.ADOPTED, Outcome.PARTLY_ADOPTED})
NEEDS_REASON = frozenset({Outcome.PARTLY_ADOPTED, Outcome.NOT_ADOPTED, Outcome.EXPLAINED, Outcome.REFERENCE})

BOILERPLATE: tuple[str, ...] = (
    "您好",
    "你好",
    "感谢您对我区工作的关心和支持",
    "感谢您的关注和支持",
    "感谢您的关注与支持",
    "感谢您的来信",
    "感谢您的留言",
    "感谢您的宝贵意见",
    "感谢您的建议",
    "感谢关注",
    "感谢支持",
    "谢谢",
    "特此回复",
    "已收悉",
    "收悉",
    "已收到",
    "收到",
    "已转相关部门",
    "已转有关部门",
    "已转交相关部门",
    "已转交有关部门",
    "转相关部门处理",
    "转有关部门研究",
    "已转",
    "已阅",
    "已知晓",
    "知悉",
    "我们将认真研究",
    "将认真研究",
    "正在研究",
    "我们会认真考虑",
    "予以考虑",
    "会认真对待",
    "按规定办理",
    "按有关规定执行",
    "请咨询相关部门",
    "请咨询有关部门",
    "请拨打",
    "您的意见",
    "您的建议",
    "您的留言",
    "您反映的问题",
    "尊敬的市民",
    "市民您好",
    "意见",
    "建议",
    "我单位",
    "我局",
    "我委",
)
"""Phrases without substance (R-78). Removed longest first, so that a short one cannot split a long one."""

_LONGEST_FIRST = tuple(sorted(BOILERPLATE, key=len, reverse=True))


def substance(text: str) -> str:
    """Return what is left of a reply without phrases, salutations, punctuation and space (R-78).

    A bare number such as 12345 after 请拨打 is no substance either, so digits count only together with words:
    a rest without any letter or Han character is empty.
    """
    rest = unicodedata.normalize("NFKC", text)
    for phrase in _LONGEST_FIRST:
        rest = rest.replace(phrase, "")
    kept = "".join(char for char in rest if unicodedata.category(char)[0] in "LN")
    return kept if any(unicodedata.category(char)[0] == "L" for char in kept) else ""


def residual(text: str) -> int:
    """Return the number of user-perceived characters of substance."""
    return user_characters(substance(text))


@dataclass(frozen=True)
class ReplyValues:
    """A reply as a unit submits it. `outcome` is the code or empty; places and reasons may be empty.

    `never_say` holds the submitter's name and contacts, which a reply must not repeat (R-79).
    """

    outcome: str
    body: str
    draft_location: str = ""
    reason: str = ""
    never_say: tuple[str, ...] = ()


def personal_data_in(text: str, never_say: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the types of strong findings in a text, and `name` when it repeats something of the submitter."""
    types = [finding.type.value for finding in find(text) if finding.level is Level.STRONG]
    if any(len(word.strip()) > 1 and word.strip() in text for word in never_say):
        types.append("name")
    return tuple(dict.fromkeys(types))


def reply_problems(values: ReplyValues) -> list[DomainError]:
    """Return every refusal of a reply, in the order of the form; empty when it may go to sign-off."""
    problems: list[DomainError] = []
    outcome = Outcome(values.outcome) if values.outcome in set(Outcome) else None
    if outcome is None:
        problems.append(OutcomeRequired(field="outcome"))
    if outcome in NEEDS_LOCATION and not values.draft_location.strip():
        problems.append(DraftLocationRequired(field="draft_location"))
    if outcome in NEEDS_REASON and user_characters(values.reason.strip()) < REASON_MINIMUM:
        count = user_characters(values.reason.strip())
        problems.append(ReasonRequired(field="reason", n=count, minimum=REASON_MINIMUM))
    if not values.body.strip():
        problems.append(ReplyRequired(field="body"))
    elif (left := residual(values.body)) < SUBSTANCE_MINIMUM:
        problems.append(BoilerplateReply(field="body", n=left, minimum=SUBSTANCE_MINIMUM))
    for field, text in (("body", values.body), ("reason", values.reason), ("draft_location", values.draft_location)):
        types = personal_data_in(text, values.never_say)
        if types:
            problems.append(PiiInReply(field=field, types=types))
    return problems


def check_reply(values: ReplyValues) -> Outcome:
    """Return the outcome of a reply that may go to sign-off.

    Raises:
        FieldErrors: all refusals by field: outcome_required, draft_location_required, reason_required,
            reply_required, boilerplate_reply (with n), pii_in_reply (with types).
    """
    problems = reply_problems(values)
    if problems:
        errors: dict[str, list[DomainError]] = {}
        for problem in problems:
            errors.setdefault(problem.field or "", []).append(problem)
        raise FieldErrors(errors)
    return Outcome(values.outcome)
