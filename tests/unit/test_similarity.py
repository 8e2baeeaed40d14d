"""Near-duplicate groups: measured on the labelled campaign, and on two thousand generated comments."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest

from consult.domain.similarity import SimilarityIndex, group_duplicates, normalise, places, similar_to
from consult.domain.traditional import simplified

DATA = Path(__file__).parents[1] / "data"
ROWS = [json.loads(line) for line in (DATA / "campaign_dev.jsonl").read_text(encoding="utf-8").splitlines()]
TEXTS = [row["text"] for row in ROWS]
TRUTH = [row["group"] for row in ROWS]


def pairs(labels: list[object]) -> set[tuple[int, int]]:
    members: dict[object, list[int]] = {}
    for position, label in enumerate(labels):
        if label is not None:
            members.setdefault(label, []).append(position)
    return {(a, b) for some in members.values() for k, a in enumerate(some) for b in some[k + 1 :]}


def measured(given: list[int | None], truth: list[object]) -> tuple[float, float]:
    found, wanted = pairs(list(given)), pairs(truth)
    return len(found & wanted) / max(1, len(found)), len(found & wanted) / len(wanted)


def test_the_labelled_campaign_is_grouped_and_its_hard_negatives_are_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    groups = group_duplicates(TEXTS)
    precision, recall = measured(groups, TRUTH)
    with capsys.disabled():
        print(f"\nnear duplicates, 500 labelled: pairwise precision {precision:.4f}, recall {recall:.4f}")
    assert precision >= 0.99
    assert recall >= 0.97
    assert [g for g, row in zip(groups, ROWS, strict=True) if row["role"].startswith("hard_negative")] == [None] * 12


def test_either_half_alone_is_grouped_as_well() -> None:
    for half in (slice(0, None, 2), slice(1, None, 2)):
        precision, recall = measured(group_duplicates(TEXTS[half]), TRUTH[half])
        assert precision >= 0.99
        assert recall >= 0.9


INTROS = (
    "本人在这里住了{n}年，退休前是老师，平时很少上网提意见，这次实在忍不住了才写几句。",
    "我是{n}号楼的租客，刚搬来不久，和邻居们聊起来发现大家都有同样的感受，所以代表大家说一说。",
    "先说明一下，我不是来吵架的，只是每天上下班都要经过，看了{n}个月没有变化，有点着急。",
)
HEADS = ("转发：", "附议！", "同意楼上，", "各位领导好：", "代邻居发一条：", "顶，")
TAILS = ("望回复。", "谢谢各位！", "我们全楼支持。", "联系人：{n}室", "拜托了！", "")
SWAPS = {
    "希望": "盼望",
    "建议": "提议",
    "能不能": "可否",
    "没有": "缺少",
    "公开": "公布",
    "什么时候": "何时",
    "居民": "住户",
}
ISSUES = (
    "路灯坏了好几盏", "非机动车道被占", "井盖松动响声大", "健身器材锈蚀", "流浪狗没人管", "菜场顶棚漏水", "窨井反味",
    "公交站没有座椅", "外卖车逆行", "树枝遮住信号灯", "充电桩经常故障", "垃圾房清运不及时", "工地扬尘大",
    "河道有漂浮物",
)  # fmt: skip
ROADS = ("莘建", "七莘", "沪闵", "顾戴", "水清", "罗锦", "江川", "鹤庆", "鲁南", "三鲁", "联航", "浦星", "吴中", "虹梅")
ENDINGS = ("请尽快安排人修。", "反映过两次没人来。", "希望今年能解决。", "不知道归哪个部门管。", "晚上特别不方便。")


def variant(rng: random.Random, text: str) -> str:
    op = rng.choice(("exact", "intro", "head", "tail", "both", "typo", "typo", "swap", "reorder", "trunc", "bare"))
    n = str(rng.randint(2, 30))
    if op == "intro":
        return rng.choice(INTROS).format(n=n) + text
    if op in ("head", "both"):
        text = rng.choice(HEADS) + text
    if op in ("tail", "both"):
        text += rng.choice(TAILS).format(n=n)
    if op == "typo":
        for _ in range(2):
            at = rng.randrange(len(text))
            text = text[:at] + rng.choice(("", "的", "在", text[at] * 2)) + text[at + 1 :]
    if op == "swap":
        for old, new in SWAPS.items():
            text = text.replace(old, new)
    parts = text.replace("。", "，").rstrip("，").split("，")
    if op == "reorder":
        rng.shuffle(parts)
        text = "，".join(parts) + "。"
    if op == "trunc" and len(parts) > 2:
        text = "，".join(parts[:-1]) + "。"
    if op == "bare":
        text = "".join(parts)
    return text


def generated(seed: int, size: int) -> tuple[list[str], list[object]]:
    rng = random.Random(seed)
    seeds = list(
        dict.fromkeys(t for t, g in zip(TEXTS, TRUTH, strict=True) if g is None and len(t) > 32 and "路" not in t)
    )
    rng.shuffle(seeds)
    made: list[tuple[str, object]] = []
    for number, text in enumerate(seeds[:30]):
        made += [(variant(rng, text), number) for _ in range(rng.choice((3, 6, 12, 40)))]
    made += [(text, None) for text in seeds[30:]]
    texts = {text for text, _ in made}
    told: set[tuple[str, str]] = set()
    while len(made) < size:
        road, intro = rng.choice(ROADS), rng.choice(INTROS)
        single = f"{road}路{rng.randint(2, 900)}弄{rng.choice(ISSUES)}，{rng.choice(ENDINGS)}"
        if (road, intro) not in told:  # one person, one road: the same story twice would be the same person
            told.add((road, intro))
            single = intro.format(n=rng.randint(2, 30)) + single
        if single not in texts:
            texts.add(single)
            made.append((single, None))
    rng.shuffle(made)
    return [text for text, _ in made], [label for _, label in made]


def test_two_thousand_other_comments_are_grouped_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    texts, truth = generated(7, 2000)
    began = time.process_time()
    groups = group_duplicates(texts)
    spent = time.process_time() - began
    precision, recall = measured(groups, truth)
    wrong = sorted(pairs(list(groups)) - pairs(truth))
    with capsys.disabled():
        print(f"\nnear duplicates, 2,000 generated: precision {precision:.4f}, recall {recall:.4f}, {spent:.1f} s")
        for a, b in wrong[:5]:
            print("  ", texts[a], "||", texts[b])
    assert precision >= 0.99
    assert recall >= 0.9
    assert spent < 20


def test_a_campaign_of_seven_hundred_is_one_group() -> None:
    rng = random.Random(5)
    seed = "希望在社区增设老年食堂，现在走到最近的助餐点要半小时，下雨天老人根本没法去，建议和日间照料中心合建。"
    texts = [variant(rng, seed) for _ in range(700)]
    groups = group_duplicates(texts + TEXTS)
    assert groups[:700].count(0) >= 690
    assert 0 not in groups[700:]


def test_the_same_texts_always_give_the_same_groups() -> None:
    assert group_duplicates(TEXTS) == group_duplicates(list(TEXTS))
    shuffled = list(range(len(TEXTS)))
    random.Random(3).shuffle(shuffled)
    groups = group_duplicates([TEXTS[k] for k in shuffled])
    back = {shuffled[k]: shuffled[g] if g is not None else None for k, g in enumerate(groups)}
    assert pairs([back[k] for k in range(len(TEXTS))]) == pairs(list(group_duplicates(TEXTS)))


def test_a_label_is_the_position_of_the_first_member() -> None:
    text = "请检查小区消防栓是否有水，打开没有一滴水，请组织试水。"
    assert group_duplicates(["别的事情", text, "再一件事", text + "谢谢！"]) == [None, 1, None, 1]
    assert group_duplicates([]) == []
    assert group_duplicates(["", "", "。", "支持"]) == [None, None, None, None]


def test_the_same_words_about_another_road_are_another_comment() -> None:
    text = "{}路学校门口每天早上堵成一团，家长车辆随意停放，希望交警早高峰过来疏导。"
    assert group_duplicates([text.format("颛兴"), text.format("沁春")]) == [None, None]
    assert group_duplicates([text.format("颛兴"), text.format("颛兴") + "拜托了"]) == [0, 0]


def test_traditional_and_full_width_writing_compare_alike() -> None:
    assert normalise("請停止佔用學校操場，ＡＢ！") == normalise("请停止占用学校操场ab")
    assert simplified("長者無人照護") == "长者无人照护"
    assert places("莘松路和19号线，靠近马路") == {"莘松路", "19号线"}


def test_the_desk_sees_the_most_alike_first() -> None:
    index = SimilarityIndex(TEXTS)
    seed = next(row["text"] for row in ROWS if row["group"] == "g07" and row["op"] == "seed")
    found = similar_to("领导好，" + seed, index, limit=10)
    assert len(found) == 10
    assert all(TRUTH[one.position] == "g07" for one in found)
    assert found == sorted(found, key=lambda one: (-one.score, one.position))
    assert similar_to("完全无关的一句话，说的是别的。", index) == []
