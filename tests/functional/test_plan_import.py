"""Loading the plan, the calendar and the programme into a real store."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from consult.db import Store
from consult.domain.errors import CalendarPending, NotFound, UnitUnknown
from consult.domain.plan_rows import PlanRefused, item_of_location, read_plan
from consult.gateways.holiday_source import year_notice
from consult.queries import calendars as read_calendar
from consult.queries import consultations as read_consultations
from consult.queries import plan, units
from consult.services import calendars, plan_import, programmes
from tests.support.plan import load_plan, read, rows

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "vectors.json").read_text("utf-8"))


def _with_line(text: str, old: str, new: str) -> tuple[str, int]:
    """The text with one word replaced, and the line it stands on."""
    assert text.count(old) >= 1
    at = text.index(old)
    return text.replace(old, new, 1), text.count("\n", 0, at) + 1


def test_r111_the_plan_has_as_many_items_of_each_kind_as_the_notice(store: Store) -> None:
    with store.writing() as session:
        summary = plan_import.import_plan(session, rows())
    with store.reading() as session:
        items = plan.list_items(session)
        found = units.list_units(session)
    facts = VECTORS["seed_facts"]
    assert Counter(item.kind for item in items) == {
        "special_plan": facts["special_plans"],
        "indicator": facts["indicators"],
        "key_task": facts["tasks"],
        "major_project": facts["projects"],
        "regional_plan": facts["regional_plans"],
    }
    assert sum(item.starred for item in items) == facts["tasks_city_level"]
    binding = [item for item in items if item.category == "约束性"]
    assert len(binding) == facts["binding"]
    assert [item.kind for item in items] == sorted((item.kind for item in items), key=plan.KINDS.index)
    assert summary.created == {"units": 85, "items": 208, "notes": 67}
    assert len(found) == 85


def test_second_import_changes_nothing(store: Store) -> None:
    with store.writing() as session:
        load_plan(session)
    with store.writing() as session:
        again = plan_import.import_plan(session, rows())
        assert calendars.seed(session) == 0
        assert programmes.ensure_midterm(session)[1] is False
    assert again.nothing_changed
    assert again.only_in_store == ()


def test_a_mended_file_changes_only_what_differs(store: Store) -> None:
    with store.writing() as session:
        load_plan(session)
    items, _ = _with_line(
        read("items.csv"), "加快中航机载项目建设,加快中航机载项目建设,", "加快中航机载项目建设,加快建设,"
    )
    unit_file, _ = _with_line(read("units.csv"), "区经委,区经委,委办局", "区经委,区经委|区经济委,委办局")
    with store.writing() as session:
        summary = plan_import.import_plan(session, read_plan(unit_file, items, read("fixes.csv")))
    assert summary.changed == {"units": 1, "items": 1, "notes": 0}
    with store.reading() as session:
        assert units.find_unit(session, "区经济委").code == "JW"
        assert plan.item(session, "P01").item.text == "加快建设"


def test_rows_only_the_store_has_are_kept_and_named(store: Store) -> None:
    with store.writing() as session:
        load_plan(session)
    shorter = "\n".join(line for line in read("fixes.csv").split("\n") if not line.startswith("F67,"))
    with store.writing() as session:
        summary = plan_import.import_plan(session, read_plan(read("units.csv"), read("items.csv"), shorter))
    assert summary.only_in_store == ("F67",)
    assert summary.nothing_changed


def test_r12_source_text_stays_as_extracted_and_the_repair_lies_beside_it(store: Store) -> None:
    with store.writing() as session:
        load_plan(session)
    with store.reading() as session:
        task = plan.item(session, "T47")
        indicator = plan.item(session, "I01")
        notes = plan.editorial_notes(session)
    assert "强化在senl用车辆" in task.item.source_text
    assert "senl" not in task.item.text
    assert [(note.code, note.certainty) for note in task.notes] == [("F28", "certain"), ("F29", "unclear")]
    assert "13个百分点" in indicator.item.source_text
    assert indicator.notes[0].repaired == "比全市平均水平高1-3个百分点"
    assert len(notes) == 67
    assert next(note for note in notes if note.code == "F01").item_key is None


def test_r12_every_note_about_an_item_quotes_its_source_word_for_word(store: Store) -> None:
    with store.writing() as session:
        load_plan(session)
    with store.reading() as session:
        items = {item.key: item for item in plan.list_items(session)}
        notes = [note for note in plan.editorial_notes(session) if note.item_key]
    assert len(notes) > 25
    for note in notes:
        assert note.original.replace(" ", "") in items[str(note.item_key)].source_text.replace(" ", ""), note.code


def test_r114_targets_are_stored_as_text(store: Store) -> None:
    with store.writing() as session:
        load_plan(session)
    with store.reading() as session:
        texts = {item.key: item.source_text for item in plan.list_items(session, "indicator")}
    assert texts["I22"].endswith("控制在0.016以内")
    assert "5年累计600" in texts["I04"]


def test_r56_the_first_unit_leads_and_the_others_follow_in_order(store: Store) -> None:
    with store.writing() as session:
        load_plan(session)
    with store.reading() as session:
        task = plan.item(session, "T03").item
    assert [unit.code for unit in task.leads] == ["JW"]
    assert task.others[0].code == "KW"
    assert task.raw_unit_text == "区经委、区科委、相关园区"
    assert task.others[-1].is_group


def test_joint_leads_are_several_lead_rows(store: Store) -> None:
    items = read("items.csv").replace("0,JW,,区经委,", "0,JW|KW,,区经委,", 1)
    with store.writing() as session:
        plan_import.import_plan(session, read_plan(read("units.csv"), items, read("fixes.csv")))
    with store.reading() as session:
        joint = [item for item in plan.list_items(session) if len(item.leads) > 1]
    assert [[unit.code for unit in item.leads] for item in joint] == [["JW", "KW"]]


def test_r57_groups_know_their_members_and_are_not_assignable(store: Store) -> None:
    with store.writing() as session:
        load_plan(session)
    with store.reading() as session:
        towns = units.members(session, "G_ALL14")
        group = units.find_unit(session, "各街镇")
        assert units.members(session, "FGW") == ()
        refused = [unit for unit in units.list_units(session) if not unit.assignable]
    assert group.code == "G_ALL14"
    assert not group.assignable
    assert len(towns) == 14
    assert towns[0].short_name == "莘庄镇"
    assert {unit.kind for unit in towns} == {"town"}
    assert {"QZF", "SFGW", "RDCWH", "G_XGJZ", "G_RMTT"} <= {unit.code for unit in refused}
    assert "FGW" not in {unit.code for unit in refused}


def test_r58_both_names_of_the_finance_bureau_are_one_unit(store: Store) -> None:
    with store.writing() as session:
        load_plan(session)
    with store.reading() as session:
        assert units.find_unit(session, "区财政局(区金融办)") == units.find_unit(session, "区财政局")
        assert units.find_unit(session, "czj").name == "闵行区财政局"
        with pytest.raises(UnitUnknown):
            units.find_unit(session, "街道")


def test_bad_rows_are_all_reported_with_file_and_line_and_nothing_is_stored(store: Store) -> None:
    unit_file, unit_line = _with_line(read("units.csv"), "区水务局,区水务局,委办局", "区水务局,区水务局,衙门")
    item_file, item_line = _with_line(read("items.csv"), "0,JTW,", "0,XXX,")
    fix_file, fix_line = _with_line(read("fixes.csv"), "附件3任务42", "附件3任务99")
    with store.writing() as session, pytest.raises(PlanRefused) as caught:
        plan_import.import_plan(session, read_plan(unit_file, item_file, fix_file))
    problems = caught.value.problems
    places = {(one.file, one.line) for one in problems}
    assert {("units.csv", unit_line), ("items.csv", item_line), ("fixes.csv", fix_line)} <= places
    assert all(str(one).startswith(one.file) and str(one).endswith("。") for one in problems)
    # every item of the unit that was refused is named too
    assert sum("SWJ" in one.sentence for one in problems) > 1
    with store.reading() as session:
        assert units.list_units(session) == ()
        assert plan.list_items(session) == ()


def test_line_numbers_count_lines_of_the_file_also_after_a_cell_with_a_line_break() -> None:
    unit_file = read("units.csv").replace("委办局,,\n", '委办局,,"两\n行"\n', 1)
    unit_file, line = _with_line(unit_file, "区教育局,区教育局,委办局", "区教育局,区教育局,?")
    with pytest.raises(PlanRefused) as caught:
        read_plan(unit_file, read("items.csv"), read("fixes.csv"))
    assert ("units.csv", line) in {(one.file, one.line) for one in caught.value.problems}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace("code,", "kode,", 1), "缺少列"),
        (lambda _: "", "文件是空的"),
        (lambda text: text + 'X,"open', "不是完整的 CSV"),
        (lambda text: text + "FGW,甲,甲,甲甲,委办局,,\n", "重复"),
        (lambda text: text + "NEW,甲,甲,区发改委,委办局,,\n", "已经属于"),
        (lambda text: text + "NEW,甲,甲,甲甲,委办局\n", "应有 7 列"),
        (lambda text: text + "NEW,,甲,甲甲,委办局,,\n", "全称没有填"),
        (lambda text: text + "NEW,甲,甲,甲甲,group,ZZZZ,\n", "不在 units.csv"),
        (lambda text: text + "NEW,甲,甲,甲甲,group,G_ALL14,\n", "具体单位"),
        (lambda text: text + "new,甲,甲,甲甲,委办局,,\n", "大写字母"),
    ],
)
def test_a_wrong_unit_file_is_explained_in_one_sentence(change, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(PlanRefused) as caught:
        read_plan(change(read("units.csv")), read("items.csv"), read("fixes.csv"))
    assert any(words in one.sentence for one in caught.value.problems)


@pytest.mark.parametrize(
    ("location", "key"),
    [("附件2第1行", "I01"), ("附件3任务42", "T42"), ("附件4项目50", "P50"), ("附件3类别栏", None), ("附件6", None)],
)
def test_a_note_belongs_to_the_item_its_location_names(location: str, key: str | None) -> None:
    assert item_of_location(location) == key


def test_item_that_does_not_exist_is_not_found(store: Store) -> None:
    with store.reading() as session, pytest.raises(NotFound):
        plan.item(session, "T99")


@pytest.mark.parametrize("year", list(VECTORS["calendar"]))
def test_r60_the_library_agrees_with_the_published_notice(year: str) -> None:
    notice = year_notice(int(year))
    expected = VECTORS["calendar"][year]
    assert sorted(day.isoformat() for day in notice.weekday_off) == expected["weekday_off"]
    assert sorted(day.isoformat() for day in notice.weekend_on) == expected["weekend_on"]


def test_r61_only_years_somebody_marked_as_published_are_counted(store: Store) -> None:
    with store.writing() as session:
        calendars.seed(session)
        calendars.put_year(session, year_notice(2027), "草稿", published=False)
    with store.reading() as session:
        calendar = read_calendar.work_calendar(session)
        listed = read_calendar.years(session)
    assert [row.year for row in listed if row.published] == [2022, 2023, 2024, 2025, 2026]
    assert not calendar.is_working_day(date(2026, 10, 1))
    assert calendar.is_working_day(date(2026, 10, 10))
    with pytest.raises(CalendarPending):
        calendar.is_working_day(date(2027, 1, 4))
    with store.writing() as session:
        calendars.publish_year(session, 2027)
    with store.reading() as session:
        assert read_calendar.work_calendar(session).is_working_day(date(2027, 1, 4))


def test_r61_a_year_without_a_notice_cannot_be_published(store: Store) -> None:
    with store.writing() as session, pytest.raises(CalendarPending):
        calendars.publish_year(session, 2031)


def test_r12_the_timetable_keeps_the_source_and_its_repair(store: Store) -> None:
    with store.writing() as session:
        key, made = programmes.ensure_midterm(session)
    with store.reading() as session:
        lines = read_consultations.timetable(session, key)
        listed = read_consultations.programmes(session)
    assert made
    assert [one.slug for one in listed] == ["midterm-evaluation"]
    tracks = Counter(line.track for line in lines)
    assert (tracks["《纲要》中期评估"], tracks["专项规划评估"], tracks["区域规划"]) == (8, 3, 3)
    first = next(line for line in lines if line.track == "《纲要》中期评估")
    assert (first.source_when, first.when_text) == ("4-5", "4-5月")
    july = next(line for line in lines if line.source_when == "715日前")
    assert july.when_text == "7月15日前"
