"""Files of tables: typed cells, hostile texts that come back as text, nothing a program would run."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest

from consult.domain.tables import Column, Kind, Row, Table
from consult.gateways import workbook
from consult.gateways.csv_file import write_csv
from consult.gateways.json_file import write_json
from consult.gateways.workbook import Book, write_xlsx

NOW = datetime(2023, 8, 16, 7, 4, 5, tzinfo=UTC)
TEXT = (Column("序号", "seq", Kind.INTEGER, 6), Column("意见与建议", "comment_body", Kind.TEXT, 60))
HOSTILE = Path(__file__).resolve().parents[3] / "shared" / "security" / "hostile_inputs.jsonl"
VECTORS = json.loads((Path(__file__).resolve().parents[1] / "data" / "vectors.json").read_text("utf-8"))

TEXTS = [
    "=1+1", "+86 13800138000", "-5%", "@SUM(A1)", "\t=1+1", "＝1+1", "　=1", "'=1", "=HYPERLINK(\"http://x\",\"点\")",
    "http://example.com/", "mailto:a@example.com", "internal:Sheet1!A1", "13800138000", "007", "1e5", "TRUE", "#N/A",
    "<r>not markup</r>", "<r><t>x</t></r>", "<b>&amp;</b>", "_x000D_", "_x0041_ _x005F_x000D_", "a_xFFFFb", "]]>",
    "第一行\n第二行", " 前后空白 ", "引号\"和,逗号", "😀 𠮷 〇 ㇏", "‮反向", "{=1}",
]  # fmt: skip


def book(rows: list[Row], columns: tuple[Column, ...] = TEXT, title: str = "表") -> Book:
    return Book("标题", "作者", NOW, [Table(title, columns, rows, len(rows))])


def numbered(texts: list[str]) -> list[Row]:
    return [(place, text) for place, text in enumerate(texts, start=1)]


def read_back(path: Path) -> list[str]:
    opened = openpyxl.load_workbook(path)
    values = [row[1].value for row in opened.worksheets[0].iter_rows(min_row=2)]
    kinds = {row[1].data_type for row in opened.worksheets[0].iter_rows(min_row=2)}
    assert kinds <= {"s", "inlineStr", "n"}
    opened.close()
    return values


def test_r102_hostile_texts_come_back_from_a_workbook_as_the_same_text(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "t.xlsx", book(numbered(TEXTS)))
    opened = openpyxl.load_workbook(tmp_path / "t.xlsx")
    cells = [row[1] for row in opened.worksheets[0].iter_rows(min_row=2)]
    assert [(unescaped(cell.value), cell.data_type, cell.hyperlink) for cell in cells] == [
        (text, "s", None) for text in TEXTS
    ]
    opened.close()


def unescaped(text: str) -> str:
    """What a spreadsheet program shows: openpyxl leaves the format's own escapes (_x005F_) to its caller."""
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text)


def test_r102_formula_vectors_are_plain_text_in_xlsx_and_have_an_apostrophe_in_csv(tmp_path: Path) -> None:
    vectors = [vector for vector in VECTORS["formula_injection"]["vectors"] if vector["in"]]
    rows = numbered([vector["in"] for vector in vectors])
    write_xlsx(tmp_path / "t.xlsx", book(rows))
    write_csv(tmp_path / "t.csv", Table("表", TEXT, rows, len(rows)))
    assert [unescaped(text) for text in read_back(tmp_path / "t.xlsx")] == [vector["in"] for vector in vectors]
    with (tmp_path / "t.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row[1] for row in csv.reader(file)][1:] == [vector["csv_out"] for vector in vectors]


def test_hostile_inputs_of_the_security_guide_come_back_as_text(tmp_path: Path) -> None:
    if not HOSTILE.is_file():
        pytest.skip("the shared security material is not here")
    texts = [json.loads(line)["input"] for line in HOSTILE.read_text("utf-8").splitlines()]
    texts = [text for text in texts if isinstance(text, str) and text and len(text) < 32_000]
    write_xlsx(tmp_path / "t.xlsx", book(numbered(texts)))
    control = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
    shown = [unescaped(text or "") for text in read_back(tmp_path / "t.xlsx")]
    assert shown == [control.sub("", text) for text in texts]
    assert len(texts) > 100


def test_no_formula_and_no_link_stands_in_the_parts_of_a_workbook(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "t.xlsx", book(numbered(TEXTS)))
    with zipfile.ZipFile(tmp_path / "t.xlsx") as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
        names = parts.namelist()
    assert "<f>" not in sheet
    assert "<hyperlink" not in sheet
    assert not [name for name in names if "externalLink" in name or name.endswith("sheet1.xml.rels")]


def test_numbers_days_and_moments_are_typed(tmp_path: Path) -> None:
    columns = (
        Column("整数", "n", Kind.INTEGER), Column("剩余", "left", Kind.REMAINING), Column("日", "d", Kind.DAY),
        Column("时", "at", Kind.MOMENT), Column("电话", "phone", Kind.TEXT),
    )  # fmt: skip
    write_xlsx(tmp_path / "t.xlsx", book([(0, -3, date(2023, 7, 26), NOW, "13800138000")], columns))
    opened = openpyxl.load_workbook(tmp_path / "t.xlsx")
    cells = next(opened.worksheets[0].iter_rows(min_row=2, max_row=2))
    assert [cell.value for cell in cells] == [
        0, -3, datetime(2023, 7, 26), datetime(2023, 8, 16, 15, 4, 5), "13800138000",
    ]  # fmt: skip
    assert [cell.data_type for cell in cells] == ["n", "n", "d", "d", "s"]
    assert cells[3].number_format == "yyyy-mm-dd hh:mm"
    opened.close()


def test_the_sheet_is_ready_to_read_and_print(tmp_path: Path) -> None:
    rows = numbered(["一条意见"])
    table = Table("a/b:c*d", TEXT, rows, 1)
    again = Table("a/b:c*d", TEXT, [], 0)
    write_xlsx(tmp_path / "t.xlsx", Book("标题", "作者", NOW, [table, again], [("项目", "说明"), ("表名", "清单")]))
    opened = openpyxl.load_workbook(tmp_path / "t.xlsx")
    assert opened.sheetnames == ["abcd", "abcd（2）", "说明"]
    sheet = opened.worksheets[0]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:B2"
    assert sheet.page_setup.orientation == "landscape"
    assert str(sheet.page_setup.paperSize) == "9"
    assert sheet.print_title_rows == "$1:$1"
    assert sheet.column_dimensions["B"].width == pytest.approx(60, abs=1)
    assert sheet["B2"].alignment.wrap_text
    assert opened.properties.creator == "作者"
    assert [cell.value for cell in opened["说明"][2]] == ["表名", "清单"]
    opened.close()


def test_control_characters_are_removed_and_a_long_text_says_that_it_was_cut(tmp_path: Path) -> None:
    long = "长" * 40_000
    astral = "𠮷" * 20_000
    write_xlsx(tmp_path / "t.xlsx", book(numbered(["a\x00b\x0bc\x1fd\ud800e\uffff", long, astral])))
    clean, cut, wide = read_back(tmp_path / "t.xlsx")
    assert clean == "abcde"
    assert len(cut) == 32_767
    assert cut.endswith("（全文见系统）")
    assert len(wide.encode("utf-16-le")) // 2 <= 32_767
    assert wide.endswith("（全文见系统）")


def test_a_carriage_return_survives(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "t.xlsx", book(numbered(["a\r\nb"])))
    assert unescaped(read_back(tmp_path / "t.xlsx")[0]) == "a\r\nb"


def test_an_empty_table_has_its_header_and_nothing_else(tmp_path: Path) -> None:
    assert write_xlsx(tmp_path / "t.xlsx", book([])) == 0
    opened = openpyxl.load_workbook(tmp_path / "t.xlsx")
    assert list(opened.worksheets[0].iter_rows(values_only=True)) == [("序号", "意见与建议")]
    opened.close()


def test_a_table_longer_than_a_sheet_goes_on_in_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MAX_ROWS", 3)
    assert write_xlsx(tmp_path / "t.xlsx", book(numbered([f"第{n}条" for n in range(7)]))) == 7
    opened = openpyxl.load_workbook(tmp_path / "t.xlsx")
    assert opened.sheetnames == ["表", "表（2）", "表（3）"]
    assert [sheet.max_row for sheet in opened.worksheets] == [4, 4, 2]
    assert opened.worksheets[2]["B2"].value == "第6条"
    opened.close()


def test_the_same_tables_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        write_xlsx(tmp_path / name, book(numbered(TEXTS)))
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_a_fault_among_the_rows_leaves_no_file_and_no_scratch(tmp_path: Path) -> None:
    def broken() -> list[Row]:
        raise RuntimeError("the store went away")

    rows = (row for part in ([numbered(["一"])], None) for row in (part[0] if part else broken()))
    with pytest.raises(RuntimeError):
        write_xlsx(tmp_path / "t.xlsx", Book("标题", "作者", NOW, [Table("表", TEXT, rows, 2)]))
    assert list(tmp_path.iterdir()) == []


def test_a_naive_moment_is_refused(tmp_path: Path) -> None:
    columns = (Column("时", "at", Kind.MOMENT),)
    with pytest.raises(ValueError, match="zone"):
        write_xlsx(tmp_path / "t.xlsx", book([(NOW.replace(tzinfo=None),)], columns))
    with pytest.raises(ValueError, match="zone"):
        write_csv(tmp_path / "t.csv", Table("表", columns, [(NOW.replace(tzinfo=None),)], 1))


def test_json_keeps_every_text_in_full_and_says_null(tmp_path: Path) -> None:
    rows: list[Row] = [(1, "=1+1" + "长" * 40_000), (0, None)]
    written = write_json(tmp_path / "t.json", Table("表", TEXT, rows, 2), None, "征集", NOW, {"states": []})
    document = json.loads((tmp_path / "t.json").read_bytes().decode("utf-8"))
    assert written == 2
    assert list(document) == ["schema_version", "consultation", "generated_at", "filters", "count", "items"]
    assert document["items"] == [{"seq": 1, "comment_body": "=1+1" + "长" * 40_000}, {"seq": 0, "comment_body": None}]
    assert document["generated_at"] == "2023-08-16T15:04:05+08:00"


def test_json_that_would_miscount_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="1 rows instead of 2"):
        write_json(tmp_path / "t.json", Table("表", TEXT, [(1, "a")], 2), None, "征集", NOW, {})


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    import tracemalloc

    def rows(n: int) -> Table:
        made = ((place, f"第{place}条意见与建议，希望增加班次。") for place in range(n))
        return Table("表", TEXT, made, n)

    tracemalloc.start()
    try:
        peaks = []
        for n in (500, 20_000):
            tracemalloc.reset_peak()
            write_xlsx(tmp_path / f"{n}.xlsx", Book("标题", "作者", NOW, [rows(n)]))
            peaks.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 2_000_000
