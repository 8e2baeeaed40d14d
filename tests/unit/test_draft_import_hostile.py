"""Files made to hurt: each is refused with one clear sentence, inside 2 s of processor time and 200 MB."""

from __future__ import annotations

import io
import os
import resource
import time
import zipfile
from collections.abc import Callable

import pytest

from consult.domain.outline import DraftRefused
from consult.domain.outline_texts import refusal_sentence
from consult.gateways.draft_import import read_draft
from consult.gateways.draft_import.numbering import chinese_number
from consult.gateways.draft_import.reading import CPU_SECONDS, MEMORY_BYTES
from tests.support.word_documents import cell, document, package, paragraph, relationships, table


def refused(data: bytes, name: str) -> DraftRefused:
    """The refusal, after checking its sentence and what the child process used."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    with pytest.raises(DraftRefused) as caught:
        read_draft(data, name)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    sentence = refusal_sentence(caught.value)
    print(f"{caught.value.code}: {used:.2f} s CPU, {time.monotonic() - start:.2f} s; {sentence}")
    assert used < CPU_SECONDS + 1.2
    assert "%" not in sentence.replace("%）", "")
    assert sentence.endswith("。")
    assert sentence.count("。") == 1
    return caught.value


def bomb() -> bytes:
    """200 MB of spaces in 195 KB."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("_rels/.rels", relationships(("officeDocument", "word/document.xml", "")))
        with archive.open("word/document.xml", "w", force_zip64=False) as part:
            for _ in range(200):
                part.write(b" " * 1024 * 1024)
    return buffer.getvalue()


def lying_bomb() -> bytes:
    """The same, with a directory that promises 1 KB."""
    data = bytearray(bomb())
    size = (200 * 1024 * 1024).to_bytes(4, "little")
    place = data.rfind(size)
    data[place : place + 4] = (1024).to_bytes(4, "little")
    return bytes(data)


def noise(count: int) -> str:
    return os.urandom(count).hex()


def numbered_headings() -> bytes:
    rows = []
    for part in range(1, 100):
        rows.append(f"{chinese_number(part)}、部分")
        rows.extend(f"（{chinese_number(number)}）任务" for number in range(1, 30))
    return "\n".join(rows).encode()


def nested_tables(depth: int) -> bytes:
    inner = paragraph("最里面。")
    for _ in range(depth):
        inner = table([cell(inner + paragraph(""))])
    return document(paragraph("一、概述", style="h1"), inner)


XXE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "哈哈哈哈哈哈哈哈">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9))
    + "]>"
)

HOSTILE: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "zip bomb of 195 KB": (bomb, "a.docx", "zip_ratio"),
    "zip bomb with a lying directory": (lying_bomb, "a.docx", "not_a_docx"),
    "entity from a file": (lambda: document(paragraph("&e;"), head=XXE), "a.docx", "xml_with_dtd"),
    "billion laughs": (lambda: document(paragraph("&j;"), head=LAUGHS), "a.docx", "xml_with_dtd"),
    "entity in another part": (
        lambda: document(parts={"word/styles.xml": XXE + "<styles>&e;</styles>"}),
        "a.docx",
        "xml_with_dtd",
    ),
    "paragraph of 10 MB in Word": (
        lambda: document(paragraph("一" * 3_300_000 + noise(200_000))),
        "a.docx",
        "paragraph_huge",
    ),
    "paragraph of 3 MB in Word": (
        lambda: document(paragraph("一" * 900_000 + noise(200_000))),
        "a.docx",
        "paragraph_too_long",
    ),
    "paragraph of 10 MB of text": (lambda: "字".encode() * 3_400_000, "a.txt", "paragraph_too_long"),
    "paragraph of 10 MB of Markdown": (lambda: b"a" * 10_000_000, "a.md", "paragraph_too_long"),
    "paragraph of 10 MB of HTML": (lambda: b"<p>" + b"a" * 9_990_000, "a.html", "paragraph_too_long"),
    "100,000 equal headings in Word": (
        lambda: document("".join(paragraph("一、概述", style="h1") for _ in range(100_000))),
        "a.docx",
        "zip_ratio",
    ),
    "100,000 different headings in Word": (
        lambda: document("".join(paragraph(noise(20), style="h1") for _ in range(100_000))),
        "a.docx",
        "",
    ),
    "21,000 headings in Word": (
        lambda: document("".join(paragraph(noise(20), style="h1") for _ in range(21_000))),
        "a.docx",
        "too_many_blocks",
    ),
    "3,000 headings in Word": (
        lambda: document("".join(paragraph(noise(20), style="h1") for _ in range(3_000))),
        "a.docx",
        "too_many_headings",
    ),
    "100,000 headings of text": (lambda: "一、概述\n".encode() * 100_000, "a.txt", "too_many_lines"),
    "40,000 headings of text": (lambda: "一、概述\n".encode() * 40_000, "a.txt", "too_many_blocks"),
    "2,970 numbered headings of text": (numbered_headings, "a.txt", "too_many_headings"),
    "100,000 headings of Markdown": (lambda: "# 概述\n".encode() * 100_000, "a.md", "too_many_lines"),
    "100,000 headings of HTML": (lambda: b"<h1>a</h1>" * 100_000, "a.html", "too_many_blocks"),
    "5,000 headings of Markdown": (lambda: "# 概述\n\n".encode() * 5_000, "a.md", "too_many_headings"),
    "tables nested 10 deep": (lambda: nested_tables(10), "a.docx", "nested_too_deep"),
    "tables nested 200 deep": (lambda: nested_tables(200), "a.docx", "nested_too_deep"),
    "HTML tables nested 200 deep": (lambda: b"<table><tr><td>" * 200 + b"x", "a.html", "nested_too_deep"),
    "100,000 nested elements": (lambda: b"<div>" * 100_000 + b"x", "a.html", "nested_too_deep"),
    "quotations nested 10,000 deep": (lambda: b">" * 10_000 + b" x", "a.md", ""),
    "emphasis without end": (lambda: b"*a_ " * 500_000, "a.md", ""),
    "brackets without end": (lambda: b"[" * 100_000, "a.md", ""),
    "3,000 members": (
        lambda: package({f"m{number}.xml": "" for number in range(3000)}),
        "a.docx",
        "zip_too_many_members",
    ),
    "a member outside the package": (lambda: document(parts={"../../etc/cron.d/x": "x"}), "a.docx", "zip_bad_name"),
    "macros": (lambda: document(parts={"word/vbaProject.bin": b"\xd0\xcf"}), "a.docx", "macros"),
    "a template on another host": (
        lambda: document(
            parts={
                "word/_rels/settings.xml.rels": relationships(
                    ("attachedTemplate", "http://a.example/x.dotm", "External")
                )
            }
        ),
        "a.docx",
        "external_relationship",
    ),
    "a picture on another host": (
        lambda: document(
            parts={"word/_rels/document.xml.rels": relationships(("image", "http://a.example/x.png", "External"))}
        ),
        "a.docx",
        "external_relationship",
    ),
    "broken XML": (lambda: document("<w:p>"), "a.docx", "xml_broken"),
    "half a file": (lambda: document(paragraph("一、概述"))[:400], "a.docx", "not_a_docx"),
    "no document in it": (lambda: package({"a.txt": "x"}), "a.docx", "not_a_docx"),
    "bytes of no encoding": (lambda: b"\xff\xff\xff\x80abc", "a.txt", "encoding_unknown"),
    "a picture called .txt": (lambda: b"\x89PNG\x00\x00\x00", "a.txt", ""),
    "nothing": (lambda: b"  \n", "a.txt", "empty_document"),
    "only markup": (lambda: b"<html><script>alert(1)</script></html>", "a.html", "empty_document"),
    "11 MB": (lambda: b"a" * 11_000_000, "a.txt", "file_too_large"),
    "a programme": (lambda: b"MZ", "a.exe", "unknown_format"),
    "a PDF": (lambda: b"%PDF-1.7", "a.pdf", "pdf_not_supported"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_one_clear_sentence(name: str) -> None:
    make, filename, code = HOSTILE[name]
    refusal = refused(make(), filename)
    assert refusal.code != "draft_unreadable"
    if code:
        assert refusal.code == code


def test_too_much_processor_time_fires_rlimit_cpu() -> None:
    refusal = refused(b"*a_ " * 500_000, "a.md")
    assert refusal.code == "cpu_limit"
    assert str(CPU_SECONDS) in refusal_sentence(refusal)


def test_too_much_memory_fires_rlimit_as() -> None:
    """2.5 million small elements: 37 MB unpacked are allowed, the tree of them is not."""
    refusal = refused(document("".join(f'<w:q w:v="{one:02x}"/>' for one in os.urandom(2_500_000))), "a.docx")
    assert refusal.code == "memory_limit"
    assert str(MEMORY_BYTES // 1048576) in refusal_sentence(refusal)


def test_19000_numbered_lines_that_are_no_headings_are_read_in_time() -> None:
    lines = "".join(f"第{number}条 正文。\n" for number in range(1, 1000)) * 19
    draft = read_draft(lines.encode(), "a.txt")
    assert len(draft.sections) == 999


def test_macros_are_refused_before_any_xml_is_read() -> None:
    with pytest.raises(DraftRefused) as caught:
        read_draft(document("<w:p>", parts={"word/vbaProject.bin": b"x"}), "a.docx")
    assert caught.value.code == "macros"
