"""Anchors under generated edits whose truth is known, because every sentence carries its own mark."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consult.domain.anchors import Anchor, Quote, normal_form, place_quote, reanchor

DRAFT = Path(__file__).parents[1] / "data" / "plan" / "draft_v1.md"
LINES = [re.sub(r"^(#+|>) ", "", line) for line in DRAFT.read_text(encoding="utf-8").split("\n") if line.strip()]
SENTENCES = [s for line in LINES if not line.startswith("|") for s in re.findall(r"[^。！？]+[。！？]", line)]
WORDS = ["进一步", "各街镇", "按季度", "同步", "依法", "已经", "部分", "重点推进", "由相关单位", "在年底前"]
SWAPS = {
    "推进": "加快",
    "完成": "实现",
    "项目": "工程",
    "问题": "情况",
    "不足": "欠缺",
    "建设": "打造",
    "新增": "增加",
}
OPS = (
    "insert", "insert_twin", "delete", "delete_sentence", "reword", "add_words", "drop_clause", "figures",
    "swap", "move", "split", "merge", "duplicate", "swap_sentences", "join_sentences", "reword_and_move",
)  # fmt: skip


@dataclass
class Sentence:
    """`now` follows every edit; `mark` tells sentences apart, `family` joins one with its copies."""

    mark: int
    first: str
    now: str
    family: int


@dataclass
class Draft:
    blocks: list[list[Sentence]]
    pool: list[str]
    touched: Counter[int] = field(default_factory=Counter)

    def texts(self) -> list[str]:
        return ["".join(s.now for s in block) for block in self.blocks]

    def place(self, mark: int) -> tuple[int, int, str] | None:
        for number, block in enumerate(self.blocks):
            at = 0
            for sentence in block:
                if sentence.mark == mark:
                    return number, at, sentence.now
                at += len(sentence.now)
        return None

    def relatives(self, sentence: Sentence) -> list[tuple[int, int, str]]:
        """Where copies stand that are no worse a successor to the quoted words than what became of them."""
        truth = self.place(sentence.mark)
        own = likeness(sentence.first, truth[2]) if truth else 0.0
        found = []
        for number, block in enumerate(self.blocks):
            at = 0
            for other in block:
                kin = other.family == sentence.family and other.mark != sentence.mark
                if kin and likeness(sentence.first, other.now) >= own:
                    found.append((number, at, other.now))
                at += len(other.now)
        return found


def likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def new_draft(rng: random.Random, size: int) -> Draft:
    chosen = rng.sample(SENTENCES, min(len(SENTENCES), size * 4))
    blocks, mark = [], 0
    for _ in range(size):
        block = []
        for _ in range(rng.choice((1, 2, 2, 3))):
            text = chosen.pop()
            block.append(Sentence(mark, text, text, mark))
            mark += 1
        blocks.append(block)
    if rng.random() < 0.3:  # the same words twice in the draft, as reports have them
        source = rng.choice(blocks)
        copy = [Sentence(mark + n, s.first, s.first, s.family) for n, s in enumerate(source)]
        blocks.insert(rng.randrange(len(blocks)), copy)
    return Draft(blocks, chosen)


def reworded(rng: random.Random, text: str) -> str:
    for old, new in rng.sample(sorted(SWAPS.items()), len(SWAPS)):
        if old in text:
            return text.replace(old, new, 1)
    return with_words(rng, text)


def with_words(rng: random.Random, text: str) -> str:
    at = rng.randrange(1, max(2, len(text) - 1))
    return text[:at] + rng.choice(WORDS) + text[at:]


def without_clause(rng: random.Random, text: str) -> str:
    clauses = text.split("，")
    if len(clauses) < 3:
        return with_words(rng, text)
    clauses.pop(rng.randrange(len(clauses) - 1))
    return "，".join(clauses)


def other_figures(rng: random.Random, text: str) -> str:
    found = re.sub(r"\d", lambda m: str((int(m[0]) + rng.randint(1, 8)) % 10), text, count=2)
    return found if found != text else with_words(rng, text)


def apply(draft: Draft, op: str, rng: random.Random) -> None:
    blocks = draft.blocks
    at = rng.randrange(len(blocks))
    block = blocks[at]
    one = rng.choice(block) if block else None
    if op == "insert":
        blocks.insert(at, [Sentence(-1, "", draft.pool.pop(), -1)])
    elif op == "insert_twin" and one:  # a new paragraph that reads much like an old one
        blocks.insert(rng.randrange(len(blocks)), [Sentence(-1, "", other_figures(rng, one.now), one.family)])
    elif op == "delete" and len(blocks) > 3:
        blocks.pop(at)
    elif op == "delete_sentence" and len(block) > 1:
        block.remove(one)
    elif op in ("reword", "reword_and_move") and one:
        one.now = reworded(rng, one.now)
        if op == "reword_and_move":
            blocks.insert(rng.randrange(len(blocks)), blocks.pop(at))
    elif op == "add_words" and one:
        one.now = with_words(rng, one.now)
    elif op == "drop_clause" and one:
        one.now = without_clause(rng, one.now)
    elif op == "figures" and one:
        one.now = other_figures(rng, one.now)
    elif op == "swap" and at + 1 < len(blocks):
        blocks[at], blocks[at + 1] = blocks[at + 1], blocks[at]
    elif op == "move":
        blocks.insert(rng.randrange(len(blocks)), blocks.pop(at))
    elif op == "split" and len(block) > 1:
        cut = rng.randrange(1, len(block))
        blocks[at : at + 1] = [block[:cut], block[cut:]]
    elif op == "merge" and at + 1 < len(blocks):
        blocks[at : at + 2] = [block + blocks[at + 1]]
    elif op == "duplicate":
        blocks.insert(rng.randrange(len(blocks) + 1), [Sentence(-1, "", s.now, s.family) for s in block])
    elif op == "swap_sentences" and len(block) > 1:
        block[0], block[1] = block[1], block[0]
    elif op == "join_sentences" and len(block) > 1:
        block[0].now = block[0].now[:-1] + "，"


def lands(found: Anchor, place: tuple[int, int, str]) -> bool:
    block, start, words = place
    first, last = found.start or 0, found.end or 0
    shared = min(last, start + len(words)) - max(first, start)
    return found.block == block and shared * 2 >= max(len(words), last - first)


def judged(draft: Draft, sentence: Sentence, found: Anchor, after: list[str]) -> str:
    truth = draft.place(sentence.mark)
    if truth is None and any(lands(found, kin) for kin in draft.relatives(sentence)):
        return "undecidable: copied, then the original deleted, is the same as moved"
    if truth is None:
        return "ok: gone" if found.block is None else f"MISPLACED: gone, given {found.state}"
    now = truth[2]
    if found.block is None:
        twins = sum(text.count(now) for text in after) > 1
        return f"refused{' (twins)' if twins else ''}: {found.state}"
    if not lands(found, truth):
        kin = any(lands(found, kin) for kin in draft.relatives(sentence))
        return "undecidable: a copy is as near" if kin else f"MISPLACED: {found.state}"
    same = now == sentence.first
    if same != (found.state in ("exact", "moved")):
        return f"WRONG STATE: {found.state}"
    return "ok: found"


def run(seed: int, edits: int, size: int = 14) -> tuple[Counter[str], list[tuple[str, ...]]]:
    rng = random.Random(seed)
    draft = new_draft(rng, size)
    before = draft.texts()
    asked = [(n, s) for n, block in enumerate(draft.blocks) for s in block]
    ops = [rng.choice(OPS) for _ in range(edits)]
    for op in ops:
        apply(draft, op, rng)
    after = draft.texts()
    verdicts: Counter[str] = Counter()
    bad = []
    for block, sentence in asked:
        at = before[block].index(sentence.first)
        prefix, suffix = before[block][max(0, at - 20) : at], before[block][at + len(sentence.first) :][:20]
        found = reanchor(sentence.first, prefix, suffix, block, before, after)
        verdict = judged(draft, sentence, found, after)
        verdicts[verdict] += 1
        if not verdict.startswith("ok"):
            bad.append((str(seed), verdict, sentence.first, str(draft.place(sentence.mark)), str(found), str(ops)))
    return verdicts, bad


def test_r11_thousands_of_generated_edits_leave_no_quotation_misplaced(
    capsys: pytest.CaptureFixture[str],
) -> None:
    total: Counter[str] = Counter()
    edits = 0
    bad = []
    for seed in range(600):
        count = 1 + seed % 6
        verdicts, wrong = run(seed, count)
        total += verdicts
        bad += wrong
        edits += count
    misplaced = sum(n for verdict, n in total.items() if verdict.startswith(("MISPLACED", "WRONG")))
    refused = sum(n for verdict, n in total.items() if verdict.startswith("refused:"))
    there = sum(
        n for verdict, n in total.items() if not verdict.startswith(("ok: gone", "refused (twins)", "MISPLACED: gone"))
    )
    with capsys.disabled():
        print(f"\nanchors, {edits} generated edits, {sum(total.values())} quotations: {dict(total)}")
        print(f"  {misplaced} misplaced; {1 - refused / there:.2%} of {there} recoverable ones recovered")
        for line in [b for b in bad if b[1].startswith(("MISPLACED", "WRONG"))]:
            print("   ", *line, sep="\n      ")
    assert edits >= 1000
    assert misplaced == 0
    assert 1 - refused / there >= 0.95


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(10_000, 99_999), st.sampled_from(OPS))
def test_r11_a_single_edit_never_misplaces_a_quotation(seed: int, op: str) -> None:
    rng = random.Random(seed)
    draft = new_draft(rng, 8)
    before = draft.texts()
    asked = [(n, s) for n, block in enumerate(draft.blocks) for s in block]
    apply(draft, op, rng)
    after = draft.texts()
    for block, sentence in asked:
        found = reanchor(sentence.first, "", "", block, before, after)
        assert not judged(draft, sentence, found, after).startswith(("MISPLACED", "WRONG")), (op, sentence)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(0, 9_999), st.integers(0, 500), st.integers(4, 30))
def test_any_words_picked_from_a_block_are_placed_and_carried_word_for_word(seed: int, at: int, length: int) -> None:
    rng = random.Random(seed)
    draft = new_draft(rng, 8)
    before = draft.texts()
    number = rng.randrange(len(before))
    start = at % max(1, len(before[number]) - length)
    words = before[number][start : start + length]
    placed = place_quote(before[number], Quote(words, before[number][max(0, start - 10) : start], "", start))
    assert placed is not None
    assert (placed.start, placed.end) == (start, start + len(words))
    for op in ("insert", "reword", "merge", "move"):
        apply(draft, op, rng)
    after = draft.texts()
    found = reanchor(words, placed.quote.prefix, placed.quote.suffix, number, before, after)
    if found.state in ("exact", "moved"):
        assert found.block is not None
        assert after[found.block][found.start : found.end] == words
    if found.state in ("deleted", "ambiguous"):
        assert found.block is None


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.text("甲乙丙。，；\n 12aé\u0301", max_size=12), min_size=1, max_size=6),
    st.lists(st.text("甲乙丙。，；\n 12aé\u0301", max_size=12), max_size=6),
    st.text("甲乙丙。，；\n 12a", max_size=6),
)
def test_any_texts_give_an_answer_inside_the_new_text(before: list[str], after: list[str], quote: str) -> None:
    for index in range(len(before)):
        found = reanchor(quote, "", "", index, before, after)
        if found.block is None:
            assert found.state in ("deleted", "ambiguous")
        else:
            assert found.start is not None
            assert found.end is not None
            assert 0 <= found.start <= found.end <= len(normal_form(after[found.block]))
