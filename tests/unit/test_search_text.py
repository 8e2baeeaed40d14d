"""Decision 5: pairs of characters, the same hits on every store, highlights that say why."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consult.domain.search_text import highlight, index_tokens, query_terms, snippet

ROWS = (
    "推进产业园区建设方案",
    "产业升级与人才集聚；园区配套不足",
    "社区养老服务设施，失能老人无人照护",
    "新增5G基站4230个，覆盖率91%",
    "轨道交通19号线什么时候通车",
    "ＰＭ２．５年均浓度下降4.2%",
    "老人乘车免费",
    "Café营业到夜里，Wi-Fi覆盖园区",
    "一网通办，一网统管",
)
QUERIES = {
    # one to five characters, and what each must find by reading
    "产": (0, 1),
    "养老": (2,),
    "产业": (0, 1),
    "业级": (),  # 产业升级 holds both characters, but never side by side
    "园区": (0, 1, 7),
    "老人": (2, 6),
    "产业园": (0,),
    "5g基站": (3,),
    "19号线": (4,),
    "pm2.5": (5,),
    "业园区建设": (0,),
    "车": (4, 6),
    "4.2%": (5,),
    "CAFE": (7,),
    "wi-fi": (7,),
    "网通": (8,),
    "9号": (),  # a figure is found whole or not at all
    "产业 配套": (1,),
    "产业 养老": (),
    "个覆": (),  # a comma stands between them
    "基": (3,),
}


@pytest.fixture(scope="module")
def store() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE found USING fts5(tokens)")
    for number, text in enumerate(ROWS):
        connection.execute("INSERT INTO found (rowid, tokens) VALUES (?, ?)", (number, index_tokens(text)))
    return connection


def hits(store: sqlite3.Connection, query: str) -> tuple[int, ...]:
    terms = query_terms(query)
    if not terms:
        return ()
    found = store.execute("SELECT rowid FROM found WHERE tokens MATCH ? ORDER BY rowid", (terms.fts5(),))
    return tuple(row[0] for row in found)


@pytest.mark.parametrize("query", QUERIES)
def test_each_query_finds_exactly_the_rows_that_hold_it(store: sqlite3.Connection, query: str) -> None:
    assert hits(store, query) == QUERIES[query]


@pytest.mark.parametrize("query", [query for query in QUERIES if " " not in query])
def test_the_highlight_shows_words_in_exactly_the_rows_that_were_found(query: str) -> None:
    assert tuple(n for n, text in enumerate(ROWS) if highlight(text, query)) == QUERIES[query]


@pytest.mark.postgres
def test_postgresql_finds_the_same_rows(store: sqlite3.Connection, postgres_url: str) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TEMP TABLE found (id int, tokens tsvector)")
        for number, text in enumerate(ROWS):
            connection.execute("INSERT INTO found VALUES (%s, to_tsvector('simple', %s))", (number, index_tokens(text)))
        for query, wanted in QUERIES.items():
            rows = connection.execute(
                "SELECT id FROM found WHERE tokens @@ to_tsquery('simple', %s) ORDER BY id",
                (query_terms(query).tsquery(),),
            ).fetchall()
            assert tuple(row[0] for row in rows) == wanted == hits(store, query), query


def test_a_run_becomes_its_pairs_and_its_last_character() -> None:
    assert index_tokens("推进产业，5G") == "推进 进产 产业 业 5g"
    assert index_tokens("园") == "园"
    assert index_tokens("，。 ！") == ""


def test_both_query_forms_say_the_same() -> None:
    terms = query_terms("产业园 5G基")
    assert terms.fts5() == '"产业 业园" AND "5g 基"*'
    assert terms.tsquery() == "('产业' <-> '业园') & ('5g' <-> '基':*)"


@pytest.mark.parametrize("typed", ["", "   ", "！？", "\"'*():&|<->", "\u200b"])
def test_a_query_without_letters_finds_nothing_and_breaks_nothing(typed: str) -> None:
    assert not query_terms(typed)
    assert query_terms(typed).fts5() == query_terms(typed).tsquery() == ""
    assert highlight("任何文字", typed) == ()


@pytest.mark.parametrize("typed", ['产业" OR "a', "a' & 'b", "NEAR(产业 园区)", "x*", "col:产业", "a\\"])
def test_no_operator_can_be_smuggled_into_either_store(store: sqlite3.Connection, typed: str) -> None:
    terms = query_terms(typed)
    hits(store, typed)
    assert not set(terms.fts5().replace(" AND ", " ")) & set("():'\\^+")
    assert terms.tsquery().count("'") == 2 * sum(len(phrase.tokens) for phrase in terms.phrases)


def test_highlights_are_code_points_of_the_text_as_stored() -> None:
    text = "𠮷野家在产业园区，产业园区在𠮷野家"
    spans = highlight(text, "产业园")
    assert [text[a:b] for a, b in spans] == ["产业园", "产业园"]
    assert [text[a:b] for a, b in highlight("ＰＭ２．５浓度", "pm2.5") for text in ["ＰＭ２．５浓度"]] == ["ＰＭ２．５"]


def test_touching_highlights_become_one() -> None:
    assert highlight("产业园区", "产业 业园 园区") == ((0, 4),)


def test_a_snippet_shows_the_first_highlight_and_says_what_was_left_off() -> None:
    text = "前面是一段很长的铺垫。" * 10 + "这里说养老服务。" + "后面还有很多话。" * 10
    cut = snippet(text, "养老", 40)
    assert [cut.text[a:b] for a, b in cut.spans] == ["养老"]
    assert len(cut.text) <= 40
    assert (cut.before, cut.after) == (True, True)
    assert snippet("短文", "无", 40).text == "短文"


LETTERS = "产业园区老人养5Ga 1，。"


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(LETTERS, max_size=14), min_size=1, max_size=5), st.text(LETTERS.replace(" ", ""), max_size=5))
def test_index_and_highlight_always_agree(texts: list[str], query: str) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE found USING fts5(tokens)")
    for number, text in enumerate(texts):
        connection.execute("INSERT INTO found (rowid, tokens) VALUES (?, ?)", (number, index_tokens(text)))
    found = hits(connection, query)
    connection.close()
    assert found == tuple(n for n, text in enumerate(texts) if highlight(text, query))
