"""The main job end to end: an old resident comments, staff handle it, the unit takes its workbook home."""

from __future__ import annotations

import re
from pathlib import Path

import openpyxl
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Demonstration
from tests.support.application import MASTER_ANSWER

WORDS = "静态交通这一段写得对，我们小区晚上根本停不下车，建议把周边单位的车位夜间错时开放写进报告。"
ANSWER = (
    "经研究采纳您的建议。修改稿本节已补充夜间错时共享停车的内容，"
    "今年先在十个小区周边的单位停车场试行，并按季度公布进展。"
)
SECTION = "s1-2-2-5"  # （5）推进高效智慧城区治理


def _comment(page: Page, base: str, artifacts: Path) -> tuple[str, str]:
    """Comment on one sentence by keyboard alone, on a narrow screen; return 编号 and 查询码."""
    page.goto(f"{base}/c/gangyao/draft/{SECTION}/")
    page.screenshot(path=artifacts / "story-1-section-390.png")
    page.locator("[data-block=p3] a[data-say]").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url("**/comment/**")
    expect(page.locator("blockquote")).to_contain_text("静态交通")
    page.get_by_label("您的意见或建议").fill(WORDS)
    page.get_by_label("姓名", exact=False).first.fill("吴秀英")
    page.locator("[name=contact]").fill("13800138000")
    page.locator("[name=email]").fill("wu@example.com")
    page.get_by_label("我已满 14 周岁").check()
    assert not page.locator("[name=consent_process]").is_checked()
    assert not page.locator("[name=consent_publish_name]").is_checked()
    # A first try with the wrong answer and without the consent loses nothing.
    page.locator("[name=captcha_answer]").fill("XXXXX")
    page.get_by_role("button", name="提交意见").click()
    expect(page.locator("#errors")).to_contain_text("请勾选同意后提交")
    expect(page.get_by_label("您的意见或建议")).to_have_value(WORDS)
    expect(page.locator("[name=name]")).to_have_value("吴秀英")
    page.screenshot(path=artifacts / "story-2-errors-390.png", full_page=True)
    page.locator("[name=consent_process]").check()
    page.locator("[name=captcha_answer]").fill(MASTER_ANSWER)
    page.get_by_role("button", name="提交意见").click()
    page.wait_for_url("**/receipt/**")
    page.screenshot(path=artifacts / "story-3-receipt-390.png", full_page=True)
    code = page.locator(".code").inner_text().strip()
    number = re.search(r"ZP-\d{4}", page.locator("main").inner_text())
    assert number is not None
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", code)
    return number[0], code


def _look_up(page: Page, base: str, code: str) -> str:
    page.goto(f"{base}/status/")
    page.get_by_label("查询码").fill(code.lower().replace("-", " "))
    page.get_by_role("button", name="查询").click()
    page.wait_for_load_state()
    return page.locator("main").inner_text()


def test_old_resident_comments_and_the_unit_takes_its_workbook_home(
    browser: Browser, demonstration: Demonstration, artifacts: Path
) -> None:
    base = demonstration.base
    phone = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
    resident = phone.new_page()
    messages: list[str] = []
    resident.on("console", lambda message: messages.append(message.text) if message.type == "error" else None)
    resident.context.add_cookies([{"name": "size", "value": "large", "url": base}])
    number, code = _comment(resident, base, artifacts)

    assert "正在审核" in _look_up(resident, base, code)
    resident.goto(f"{base}/c/gangyao/comments/?q={WORDS[:8]}")
    assert number not in resident.locator("main").inner_text()  # nothing is public before a person accepted it

    def staff(username: str) -> Page:
        page = browser.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN").new_page()
        demonstration.sign_in(page, username)
        return page

    moderator = staff("moderator")
    moderator.goto(f"{base}/staff/comments/{number}")
    expect(moderator.locator("main")).to_contain_text("静态交通")
    assert "13800138000" not in moderator.content()
    moderator.screenshot(path=artifacts / "story-4-moderator-1280.png", full_page=True)
    moderator.locator("form[data-main] [name=lead_unit][value=JTW]").check()
    moderator.get_by_role("button", name=re.compile("受理并转办")).click()
    moderator.wait_for_load_state()
    assert "已转区交通委" in _look_up(resident, base, code)

    officer = staff("jtw-officer")
    officer.goto(f"{base}/staff/unit")
    officer.screenshot(path=artifacts / "story-5-inbox-1280.png", full_page=True)
    officer.locator("tr", has_text=number).get_by_role("button", name="签收").click()
    officer.wait_for_load_state()
    assert "正在由区交通委办理" in _look_up(resident, base, code)
    officer.goto(f"{base}/staff/unit/{number}/reply")
    officer.locator("[name=outcome][value=adopted]").check()
    officer.locator("[name=body]").fill(ANSWER)
    officer.locator("[name=draft_location]").select_option(f"{SECTION}@1")
    officer.get_by_role("button", name="送单位负责人").click()
    officer.wait_for_load_state()
    officer.screenshot(path=artifacts / "story-6-reply-1280.png", full_page=True)

    leader = staff("jtw-leader")
    leader.goto(f"{base}/staff/unit/{number}/reply")
    leader.get_by_role("button", name="确认并送审签").click()
    leader.wait_for_load_state()

    signer = staff("signer")
    signer.goto(f"{base}/staff/sign-off/{number}")
    signer.screenshot(path=artifacts / "story-7-sign-off-1280.png", full_page=True)
    signer.get_by_role("button", name="签发").click()
    signer.wait_for_load_state()

    seen = _look_up(resident, base, code)
    assert "已答复" in seen
    assert ANSWER in seen
    resident.screenshot(path=artifacts / "story-8-status-390.png", full_page=True)
    resident.goto(f"{base}/c/gangyao/comments/{number}/")
    public = resident.locator("main").inner_text()
    assert WORDS in public
    assert ANSWER in public
    assert "吴**" in public
    assert "吴秀英" not in resident.content()
    resident.goto(f"{base}/c/gangyao/comments/")
    assert number in resident.locator("main").inner_text()

    rows = _workbook(officer, demonstration, artifacts)
    assert number in {row["受理编号"] for row in rows}
    assert {row["主办单位"] for row in rows} == {"区交通委"}
    mine = next(row for row in rows if row["受理编号"] == number)
    assert mine["回复内容"] == ANSWER
    assert mine["采纳情况"] == "采纳"
    assert "姓名" not in mine
    # The browser itself remarks on the 422 of the first try; nothing else may be said, by the policy least of all.
    assert [message for message in messages if "422" not in message] == []


def _workbook(officer: Page, demonstration: Demonstration, artifacts: Path) -> list[dict[str, object]]:
    """Ask for the unit's own workbook with one click, wait for the worker, download it and read it."""
    officer.goto(f"{demonstration.base}/staff/exports")
    officer.screenshot(path=artifacts / "story-9-exports-1280.png", full_page=True)
    officer.get_by_role("button", name=re.compile("导出本单位")).click()
    officer.wait_for_load_state()
    for _attempt in range(60):
        link = officer.get_by_role("link", name=re.compile("下载"))
        if link.count():
            break
        officer.wait_for_timeout(500)
        officer.reload()
    with officer.expect_download() as waiting:
        officer.get_by_role("link", name=re.compile("下载")).first.click()
    path = artifacts / "unit-export.xlsx"
    waiting.value.save_as(path)
    sheet = openpyxl.load_workbook(path).worksheets[0]
    lines = list(sheet.iter_rows(values_only=True))
    return [dict(zip((str(cell) for cell in lines[0]), line, strict=True)) for line in lines[1:]]
