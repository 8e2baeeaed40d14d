"""The moderator's keys in a real browser: covering selected words, one key per decision, undoing many."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Demonstration


def desk(browser: Browser, demonstration: Demonstration) -> Page:
    page = browser.new_context().new_page()
    page.set_default_timeout(15_000)
    demonstration.sign_in(page, "moderator")
    return page


def test_selected_words_go_into_the_next_line_of_the_form(browser: Browser, demonstration: Demonstration) -> None:
    page = desk(browser, demonstration)
    page.goto(f"{demonstration.base}/staff/queue?tab=review")
    for address in [link.get_attribute("href") for link in page.locator("a.row-title").all()]:
        page.goto(f"{demonstration.base}{address}")
        if page.locator("button[data-cover]").is_visible():
            break  # the others wait for their second person
    chosen = []
    for start in (0, 3, 6, 9):
        chosen.append(
            page.evaluate(
                """at => {
                    const walker = document.createTreeWalker(document.querySelector(".say"), NodeFilter.SHOW_TEXT);
                    const text = walker.nextNode();
                    const range = document.createRange();
                    range.setStart(text, at);
                    range.setEnd(text, at + 3);
                    const selection = document.getSelection();
                    selection.removeAllRanges();
                    selection.addRange(range);
                    document.activeElement.blur();
                    return range.toString().trim();
                }""",
                start,
            )
        )
        page.keyboard.press("h")
    for line, words in enumerate(chosen, start=1):
        expect(page.locator(f"[name=cover_{line}]")).to_have_value(words)
    expect(page.locator("[name=cover_reason_4]")).to_be_focused()
    expect(page.locator("input[name=publicity][value=redacted]")).to_be_checked()


def test_rows_are_chosen_and_decided_by_keys_and_undone(browser: Browser, demonstration: Demonstration) -> None:
    page = desk(browser, demonstration)
    page.goto(f"{demonstration.base}/staff/queue?tab=review")
    before = page.locator("a.row-title").count()
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("input[name=rows]:checked")).to_have_count(2)
    page.keyboard.press("s")
    expect(page.get_by_text(re.compile("2件：受理"))).to_be_visible()
    page.keyboard.press("u")
    expect(page.get_by_text(re.compile("已撤销：2件"))).to_be_visible()
    assert page.locator("a.row-title").count() == before


def test_enter_takes_the_row_and_n_goes_on(browser: Browser, demonstration: Demonstration) -> None:
    page = desk(browser, demonstration)
    page.goto(f"{demonstration.base}/staff/queue?tab=review")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_text("您已领取")).to_be_visible()
    first = page.url
    page.keyboard.press("n")
    page.wait_for_url(lambda url: url != first and "/staff/comments/" in url)
    expect(page.get_by_text("您已领取")).to_be_visible()
