"""The pages that run a consultation: from making one to publishing it, and who may open them."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from consult.db import Store
from consult.queries import consultations as read
from consult.queries import drafts
from tests.support.factories import NOW
from tests.support.plan import PLAN
from tests.support.staff_site import Browser, fill, signed_in, site_on

BASE = "/staff/admin/consultations/"
FORM = {
    "slug": "zhuanxiang",
    "title": "综合交通“十四五”规划评估报告",
    "short_code": "JT",
    "programme": "zhongqi",
    "owner_unit": "JTW",
    "starts_on": "2023-07-19",
    "ends_on": "2023-08-25",
    "drafting_note": "按方案起草。",
    "how_to_comment": "在线填写。",
    "contact_unit": "区交通委",
    "contact_phone": "021-55550100",
    "contact_rule": "both",
    "retention_months": "6",
}


@pytest.fixture
def app(store: Store):  # type: ignore[no-untyped-def]
    fill(store)
    with site_on(store) as made:
        yield made


def _upload(browser: Browser, slug: str, name: str, data: bytes, sections: bytes | None = None) -> TestResponse:
    page = f"{BASE}{slug}/draft/"
    fields: dict[str, object] = {"csrf_token": browser.token(page), "file": (io.BytesIO(data), name)}
    if sections is not None:
        fields["sections"] = (io.BytesIO(sections), "sections.csv")
    return browser.client.post(
        page,
        data=fields,
        content_type="multipart/form-data",
        environ_base={"REMOTE_ADDR": "192.0.2.7"},
        headers={"Referer": "http://localhost/"},
    )


def _made(app: Flask, name: str = "assigner") -> Browser:
    browser = signed_in(app, name)
    answer = browser.post(f"{BASE}new", FORM)
    assert answer.status_code == 303, answer.text
    return browser


def _version(store: Store) -> drafts.VersionRow | None:
    with store.reading() as session:
        return drafts.editing_version(session, read.consultation(session, "zhuanxiang", NOW).id)


def test_a_consultation_is_made_previewed_confirmed_and_published(store: Store, app: Flask) -> None:
    editor = _made(app)
    text = (PLAN / "draft_v1.md").read_bytes()
    answer = _upload(editor, "zhuanxiang", "评估稿.md", text)
    assert answer.status_code == 303
    preview = editor.get(answer.location)
    assert "四、调整方案" in preview.text
    version = _version(store)
    assert version is not None
    assert version.is_template  # nothing is stored before 确认导入
    confirmed = editor.post(answer.location + "confirm")
    assert confirmed.status_code == 303
    version = _version(store)
    assert version is not None
    assert version.source_name == "评估稿.md"
    assert editor.get(answer.location).status_code == 422  # the kept file is gone
    signer = signed_in(app, "signer", "192.0.2.8")
    page = signer.get(f"{BASE}zhuanxiang/publish")
    assert "现在还不能发布" not in page.text
    done = signer.post(f"{BASE}zhuanxiang/publish")
    assert done.status_code == 303
    with store.reading() as session:
        assert read.consultation(session, "zhuanxiang", NOW).state == "not_started"


def test_everything_missing_stands_beside_the_button(store: Store, app: Flask) -> None:
    editor = signed_in(app, "assigner")
    editor.post(f"{BASE}new", {**FORM, "drafting_note": "", "ends_on": "2023-08-01"})
    signer = signed_in(app, "signer", "192.0.2.8")
    page = signer.get(f"{BASE}zhuanxiang/publish").text
    for words in ("缺草案分章正文", "缺起草说明", "征集期限不足 30 日，最早可定到 2023年8月18日"):
        assert words in page
    refused = signer.post(f"{BASE}zhuanxiang/publish")
    assert refused.status_code == 422
    assert "缺起草说明" in refused.text


def test_what_was_typed_stays_when_the_form_is_wrong(store: Store, app: Flask) -> None:
    editor = signed_in(app, "assigner")
    answer = editor.post(f"{BASE}new", {**FORM, "slug": "大写", "starts_on": "2023-13-40"})
    assert answer.status_code == 422
    assert "综合交通“十四五”规划评估报告" in answer.text
    assert "2023-13-40" in answer.text
    assert "日期应类似 2026-03-02。" in answer.text
    answer = editor.post(f"{BASE}new", {**FORM, "slug": "大写"})
    assert answer.status_code == 422
    assert "地址只用小写字母、数字和连字符" in answer.text


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("稿.doc", b"x", "另存为"),
        ("稿.pdf", b"x", "PDF 不能导入"),
        ("稿.docx", b"not a zip", "不是完好的 .docx"),
        ("稿.md", b"", "没有文字"),
    ],
)
def test_a_file_that_cannot_be_imported_is_explained_and_not_kept(
    store: Store, app: Flask, name: str, data: bytes, words: str
) -> None:
    editor = _made(app)
    answer = _upload(editor, "zhuanxiang", name, data)
    assert answer.status_code == 422
    assert words in answer.text
    uploads: Path = app.extensions["kaimen"].files_dir / "uploads"
    assert not uploads.exists() or not list(uploads.iterdir())


def test_a_wrong_sections_file_is_explained_line_by_line(store: Store, app: Flask) -> None:
    editor = _made(app)
    rules = "heading,path,item_keys,default_lead,units\n甲,甲,X1,,\n乙,乙,,NONE,\n".encode()
    answer = _upload(editor, "zhuanxiang", "稿.md", "# 稿\n\n## 一、甲\n\n文。\n".encode(), rules)
    assert answer.status_code == 422
    assert "sections.csv 第 2 行" in answer.text
    assert "sections.csv 第 3 行" in answer.text


def test_a_kept_file_belongs_to_one_person(store: Store, app: Flask) -> None:
    editor = _made(app)
    answer = _upload(editor, "zhuanxiang", "稿.md", "# 稿\n\n## 一、甲\n\n文。\n".encode())
    other = signed_in(app, "reviewer", "192.0.2.9")
    assert other.get(answer.location).status_code == 422
    assert other.post(answer.location + "confirm").status_code == 422
    assert editor.get(answer.location).status_code == 200
    assert editor.get(f"{BASE}zhuanxiang/draft/{'0' * 32}/").status_code == 422


def test_c00_the_editor_cannot_publish_and_others_may_not_even_open_it(store: Store, app: Flask) -> None:
    editor = _made(app)
    assert editor.get(f"{BASE}zhuanxiang/publish").status_code == 403
    officer = signed_in(app, "jtw_officer", "192.0.2.9")
    assert officer.get(BASE).status_code == 403


def test_a_period_is_extended_by_the_signer_only(store: Store, app: Flask) -> None:
    signer = signed_in(app, "signer")
    with store.reading() as session:
        slug = read.list_consultations(session, NOW)[-1].slug
    page = f"{BASE}{slug}/extend"
    assert signer.post(page, {"end": "x", "reason": "因居民要求延长期限。"}).status_code == 422
    short = signer.post(page, {"end": "2023-07-20", "reason": "因居民要求延长期限。"})
    assert short.status_code == 422
    assert "必须晚于原截止日" in short.text
    done = signer.post(page, {"end": "2023-09-20", "reason": "因居民要求延长期限。", "notice_no": "2号"})
    assert done.status_code == 303
    assert "2023年9月20日" in signer.get(f"{BASE}{slug}/").text


def test_no_page_speaks_of_what_does_not_exist(store: Store, app: Flask) -> None:
    signer = signed_in(app, "signer")
    for path in ("none/", "none/publish", "none/extend"):
        assert signer.get(BASE + path).status_code == 404


def test_the_list_shows_state_and_period(store: Store, app: Flask) -> None:
    _made(app)
    page = signed_in(app, "signer", "192.0.2.8").get(BASE).text
    assert re.search(r"综合交通.*2023年7月19日—2023年8月25日.*编辑中", page, re.DOTALL)


def test_what_was_missing_is_filled_in_before_publication(store: Store, app: Flask) -> None:
    editor = signed_in(app, "assigner")
    editor.post(f"{BASE}new", {**FORM, "drafting_note": ""})
    assert "修改" in editor.get(f"{BASE}zhuanxiang/").text
    page = editor.get(f"{BASE}zhuanxiang/edit").text
    assert "综合交通“十四五”规划评估报告" in page
    wrong = editor.post(f"{BASE}zhuanxiang/edit", {**FORM, "ends_on": "不知道", "drafting_note": "补写的说明。"})
    assert wrong.status_code == 422
    assert "补写的说明。" in wrong.text
    done = editor.post(f"{BASE}zhuanxiang/edit", {**FORM, "drafting_note": "补写的说明。"})
    assert done.status_code == 303
    with store.reading() as session:
        assert read.consultation(session, "zhuanxiang", NOW).drafting_note == "补写的说明。"
