from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from consult.domain import personal_data
from consult.domain.errors import RedactionRangeInvalid
from consult.domain.personal_data import Level, PiiType, Redaction, find

DATA = Path(__file__).parents[2] / "data"
VECTORS: dict[str, Any] = json.loads((DATA / "vectors.json").read_text("utf-8"))
DEV = [json.loads(line) for line in (DATA / "pii_dev.jsonl").read_text("utf-8").splitlines()]
SCORED = {"id_card", "mobile", "landline", "bank_card", "email", "plate", "address", "wechat"}


def hits(text: str) -> list[tuple[str, str, str]]:
    return [(found.type.value, found.level.value, found.match) for found in find(text)]


@pytest.mark.parametrize("vector", VECTORS["pii"]["positive"], ids=lambda v: v["text"])
def test_r32_personal_data_is_found(vector: dict[str, Any]) -> None:
    expected = [(one["type"], one["level"], one["match"]) for one in vector["expect"]]
    assert sorted(hits(vector["text"])) == sorted(expected)


@pytest.mark.parametrize("vector", VECTORS["pii"]["negative"], ids=lambda v: v["text"])
def test_r33_numbers_of_other_kinds_are_left_alone(vector: dict[str, Any]) -> None:
    assert hits(vector["text"]) == []


def test_r32_the_seed_items_hold_nothing_personal() -> None:
    facts = VECTORS["seed_facts"]
    text = "\n".join(f"{one['title']} {'、'.join(one['units'])}" for one in facts["items"])
    assert hits(text) == []


def test_r32_the_seed_document_holds_nothing_personal() -> None:
    assert hits((DATA / "seed_notice.txt").read_text("utf-8")) == []


def test_r32_the_draft_report_holds_nothing_personal() -> None:
    assert hits((DATA / "plan" / "draft_v1.md").read_text("utf-8")) == []


def scored_spans(text: str) -> set[tuple[int, int, str]]:
    spans = set()
    for found in find(text):
        kind = "wechat" if found.type is PiiType.QQ else found.type.value
        if found.level is not Level.INFO and kind in SCORED:
            spans.add((found.start, found.end, kind))
    return spans


def test_recall_and_precision_on_the_development_set(capsys: pytest.CaptureFixture[str]) -> None:
    hit: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    extra: Counter[str] = Counter()
    for row in DEV:
        gold = {tuple(span) for span in row["spans"]}
        got = scored_spans(row["text"])
        hit.update(kind for *_, kind in gold & got)
        missed.update(kind for *_, kind in gold - got)
        extra.update(kind for *_, kind in got - gold)
    recall = hit.total() / (hit.total() + missed.total())
    precision = hit.total() / (hit.total() + extra.total())
    with capsys.disabled():
        print(f"\npersonal data: recall {recall:.3f}, precision {precision:.3f} on {len(DEV)} texts", end=" ")
    assert recall >= 0.98, missed
    assert precision >= 0.95, extra


@pytest.mark.parametrize(
    ("text", "kind", "level", "match"),
    [
        ("联系方式:1.13800138000", "mobile", "strong", None),
        ("Tel13800138000", "mobile", "strong", "13800138000"),
        ("8613800138000", "mobile", "strong", "8613800138000"),
        ("（+86）138 0013 8000", "mobile", "strong", "(+86)138 0013 8000"),
        ("138 001 38000", "mobile", "strong", "138 001 38000"),
        ("1 3 8 0 0 1 3 8 0 0 0", "mobile", "strong", "1 3 8 0 0 1 3 8 0 0 0"),
        ("138/0013/8000", "mobile", "suspect", "138/0013/8000"),
        ("138OO138OOO", "mobile", "suspect", "138OO138OOO"),
        ("手机1三8零零138000", "mobile", "suspect", "1三8零零138000"),
        ("１３８－００１３－８０００", "mobile", "strong", "138-0013-8000"),
        ("\ufe0f\u20e3".join("13800138000"), "mobile", "strong", "13800138000"),
        ("13800138000万先生", "mobile", "strong", "13800138000"),
        ("021-5555 0100", "landline", "strong", "021-5555 0100"),
        ("（021）5555－0100", "landline", "strong", "(021)5555-0100"),
        ("办公室电话是5555-0100", "landline", "suspect", "5555-0100"),
        ("6222 0200 0055 8561 890", "bank_card", "strong", "6222 0200 0055 8561 890"),
        ("6217 0081 1732 0600 115", "bank_card", "strong", "6217 0081 1732 0600 115"),
        ("地址：样例路1925号项目投资", "address", "suspect", "样例路1925号"),
        ("卡号6222020000558561891", "bank_card", "suspect", "6222020000558561891"),
        ("zhangsan@qq.com。", "email", "strong", "zhangsan@qq.com"),
        ("zhangsan # example.com", None, None, None),
        ("zhangsan#example.com", "email", "suspect", "zhangsan#example.com"),
        ("zhang san艾特example点com", "email", "suspect", "san艾特example点com"),
        ("沪a12345", "plate", "strong", "沪a12345"),
        ("沪Ａ·１２３４５", "plate", "strong", "沪A·12345"),
        ("沪A1234学", "plate", "strong", "沪A1234学"),
        ("闵行区莘松路1288弄12号302室", "address", "strong", "闵行区莘松路1288弄12号302室"),
        ("示范路一百弄十二号三零一室", "address", "strong", "示范路一百弄十二号三零一室"),
        ("家住示范小区301室", "address", "strong", "示范小区301室"),
        ("示范路12弄3-4号501", "address", "strong", "示范路12弄3-4号501"),
        ("莘庄名都12号楼302室", "address", "suspect", "12号楼302室"),
        ("在样例路982弄35支弄8号楼下被偷", "address", "strong", "样例路982弄35支弄8号"),
        ("微信同号，微信 abc12345", "wechat", "strong", "abc12345"),
        ("加VX:abc_123", "wechat", "strong", "abc_123"),
        ("微信号 zhangsanfeng", "wechat", "strong", "zhangsanfeng"),
        ("abc_12345（微信）", "wechat", "strong", "abc_12345"),
        ("我的微信是123456789", "wechat", "strong", "123456789"),
        ("扣扣号码 12345678", "qq", "strong", "12345678"),
        ("330998198411070028办理", "id_card", "strong", "330998198411070028"),
        ("身份证号：3309 9819 8411 0700 28", "id_card", "strong", "3309 9819 8411 0700 28"),
        ("330998 1984 1107 0028", "id_card", "strong", "330998 1984 1107 0028"),
    ],
)
def test_ways_people_write_them(text: str, kind: str | None, level: str | None, match: str | None) -> None:
    found = hits(text)
    if kind is None:
        assert found == []
        return
    assert [one[:2] for one in found] == [(kind, level)]
    if match is not None:
        assert found[0][2] == match


@pytest.mark.parametrize(
    "text",
    [
        "预算18643635691元够不够？", "投资13800138000 元", "共13800138000人次", "微信公众号shanghai_gov",
        "微信小程序很好用",
        "用微信weixin支付", "微信business合作", "地铁30号线延伸段", "境改造家庭2300户", "服务家庭320户", "街道12号文件",
        "公交13路", "T1、T2航站楼", "任务10、任务12", "2023年1月1日至2023年12月31日", "6228480000153435",
        "面积13800138000㎡", "第3章第2节第4段", "中春路7001", "投诉电话12345", "400-820-0000", "¥13800138000",
        "1,13800138000", "示范路站3号口", "https://example.com/a/13800138000x", "沪A00000000", "新A座", "①②③",
    ],
)  # fmt: skip
def test_what_only_looks_like_them(text: str) -> None:
    assert hits(text) == []


@pytest.mark.parametrize("vector", VECTORS["redaction"]["vectors"], ids=lambda v: v["out"])
def test_r30_findings_are_covered_in_the_original(vector: dict[str, Any]) -> None:
    spans = [Redaction(found.start, found.end, found.type) for found in find(vector["in"])]
    found = [{"start": one.start, "end": one.end, "type": one.type.value} for one in spans]
    assert found == vector["spans_codepoints"]
    assert personal_data.apply_redactions(vector["in"], spans) == vector["out"]


def test_r30_the_order_of_spans_does_not_matter() -> None:
    spans = [Redaction(3, 4, PiiType.NAME), Redaction(0, 2, PiiType.OTHER)]
    assert personal_data.apply_redactions("甲乙丙丁", spans) == "[已隐去:个人信息]丙[已隐去:姓名]"
    assert personal_data.apply_redactions("甲乙丙丁", []) == "甲乙丙丁"


@pytest.mark.parametrize("spans", [[(0, 5)], [(-1, 2)], [(2, 2)], [(3, 1)], [(0, 3), (2, 4)]])
def test_r30_a_span_outside_the_text_or_across_another_is_refused(spans: list[tuple[int, int]]) -> None:
    with pytest.raises(RedactionRangeInvalid):
        personal_data.apply_redactions("甲乙丙丁", [Redaction(a, b, PiiType.NAME) for a, b in spans])


def test_r31_info_findings_need_no_decision() -> None:
    found = find("我公司91350100M000100Y43，手机13800138000")
    assert [one.type for one in personal_data.unresolved(found)] == [PiiType.MOBILE]


def test_findings_never_overlap_and_point_into_the_original() -> None:
    for row in DEV:
        end = 0
        for found in find(row["text"]):
            assert end <= found.start < found.end <= len(row["text"])
            end = found.end


@pytest.mark.parametrize("piece", ["1", "138 ", "一", "示例路1号", "a.", "a@", "(", "沪A", "微信", "区市镇路", " - 1"])
def test_a_hostile_text_costs_no_time(piece: str) -> None:
    text = (piece * 2000)[:2000]
    began = time.perf_counter()
    find(text)
    assert time.perf_counter() - began < 1.0
