from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from consult.domain import replies
from consult.domain.errors import FieldErrors
from consult.domain.replies import Outcome, ReplyValues

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "data" / "vectors.json").read_text("utf-8"))
BOILERPLATE = VECTORS["boilerplate_reply"]
TEXT = BOILERPLATE["accept"][0]["text"]
REASON = "该路段由市级统筹建设，本区仅负责前期征收配合，故不作调整。"
ADOPTED = ReplyValues("adopted", TEXT, draft_location="第三章第二节第4段")


def codes_for(values: ReplyValues) -> dict[str, list[str]]:
    with pytest.raises(FieldErrors) as caught:
        replies.check_reply(values)
    return caught.value.codes()


@pytest.mark.parametrize("vector", BOILERPLATE["reject"], ids=lambda v: v["text"])
def test_r78_phrases_without_substance_are_refused(vector: dict[str, Any]) -> None:
    assert replies.residual(vector["text"]) == vector["residual"]
    with pytest.raises(FieldErrors) as caught:
        replies.check_reply(replace(ADOPTED, body=vector["text"]))
    [error] = caught.value.errors["body"]
    assert (error.code, error.params["n"]) == ("boilerplate_reply", vector["residual"])


@pytest.mark.parametrize("vector", BOILERPLATE["accept"], ids=lambda v: v["text"][:12])
def test_r78_replies_with_substance_pass(vector: dict[str, Any]) -> None:
    assert replies.residual(vector["text"]) == vector["residual"]
    assert replies.check_reply(replace(ADOPTED, body=vector["text"])) is Outcome.ADOPTED


def test_r78_the_phrases_are_those_of_the_rules() -> None:
    assert list(replies.BOILERPLATE) == BOILERPLATE["phrases"]


@pytest.mark.parametrize("outcome", ["", "maybe"])
def test_r75_one_of_five_outcomes_is_chosen(outcome: str) -> None:
    assert codes_for(replace(ADOPTED, outcome=outcome)) == {"outcome": ["outcome_required"]}


@pytest.mark.parametrize("outcome", ["adopted", "partly_adopted"])
def test_r76_adopted_says_where(outcome: str) -> None:
    values = ReplyValues(outcome, TEXT, draft_location=" ", reason=REASON)
    assert codes_for(values) == {"draft_location": ["draft_location_required"]}


@pytest.mark.parametrize("outcome", ["partly_adopted", "not_adopted", "explained", "reference"])
def test_r76_everything_else_says_why_in_twenty_characters(outcome: str) -> None:
    values = ReplyValues(outcome, TEXT, draft_location="第三章", reason="字" * 19)
    assert codes_for(values) == {"reason": ["reason_required"]}
    assert replies.check_reply(replace(values, reason="字" * 20)) == outcome


@pytest.mark.parametrize("field", ["body", "reason", "draft_location"])
def test_r79_a_reply_holds_no_personal_data(field: str) -> None:
    values = replace(ReplyValues("partly_adopted", TEXT, "第三章", REASON), **{field: TEXT + "联系13800138000"})
    assert codes_for(values) == {field: ["pii_in_reply"]}


def test_r79_a_reply_does_not_repeat_the_submitter() -> None:
    assert codes_for(replace(ADOPTED, body="张三同志：" + TEXT, never_say=("张三", "", "a"))) == {
        "body": ["pii_in_reply"]
    }
    assert replies.check_reply(replace(ADOPTED, never_say=("张三",))) is Outcome.ADOPTED


def test_an_empty_reply_is_missing_not_boilerplate() -> None:
    assert codes_for(replace(ADOPTED, body=" \n")) == {"body": ["reply_required"]}
