"""Exports of the handling list: what the file holds, who may have it, and how it is recorded."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select, update

from consult import clock
from consult.db import Store
from consult.domain.errors import FieldErrors, NotAllowed, NotFound, Refused
from consult.models.comments import CommentEvent, ContactDetails, Job
from consult.services import jobs
from moderation.domain import handling_list as words
from moderation.domain.handling_list import Criteria, Format, Part, TableName
from moderation.models import AuditEvent, ExportRecord, RoleGrant
from moderation.permissions import Permission
from moderation.services import exports
from moderation.services.audit import By
from tests.support import casework
from tests.support.factories import CIPHER, NOW, World, make_comment, make_world
from tests.support.staff_site import fill, signed_in, site_on

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def world(store: Store) -> World:
    with store.writing() as session:
        return make_world(session)


def comment(store: Store, world: World, **columns: Any) -> str:
    with store.writing() as session:
        return make_comment(session, world, **columns).receipt_no


def routed(store: Store, world: World, lead: str = "JTW", co: tuple[str, ...] = (), **columns: Any) -> str:
    ref = comment(store, world, **columns)
    with store.writing() as session:
        casework.assigned(session, world, ref, NOW, lead, co)
    return ref


def by(world: World, who: str) -> By:
    return By(world.viewer(who).staff_id, "unit_officer")


def ask(store: Store, world: World, criteria: Criteria, who: str = "jtw_officer", *, confirmed: bool = False) -> int:
    with store.writing() as session:
        return exports.open_export(
            session, world.viewer(who), by(world, who), criteria, confirmed=confirmed, as_of=LATER, now=LATER
        )


def make(store: Store, files: Path, now: datetime = LATER) -> exports.Made | None:
    with store.writing() as session:
        held = jobs.claim(session, (exports.JOB_KIND,), now)
    assert held is not None
    return exports.make(held, store.reading, store.writing, CIPHER, files, lambda: now, lambda done, total: None)


def export(store: Store, world: World, files: Path, criteria: Criteria, who: str = "jtw_officer", **more: Any) -> Path:
    ask(store, world, criteria, who, **more)
    made = make(store, files)
    assert made is not None
    return made.path


def sheet_rows(path: Path, name: str = words.LEAD_TITLE) -> list[tuple[Any, ...]]:
    book = openpyxl.load_workbook(path)
    try:
        return list(book[name].iter_rows(values_only=True))
    finally:
        book.close()


def test_r100_a_unit_gets_its_lead_items_and_its_co_items_on_a_sheet_of_their_own(
    store: Store, world: World, tmp_path: Path
) -> None:
    mine = routed(store, world, "JTW", ("FGJ",))
    helped = routed(store, world, "FGJ", ("JTW",))
    routed(store, world, "FGJ", ())
    path = export(store, world, tmp_path, Criteria())
    lead, co = sheet_rows(path), sheet_rows(path, words.CO_TITLE)
    assert [row[1] for row in lead[1:]] == [mine]
    assert [row[1] for row in co[1:]] == [helped]
    assert list(lead[0]) == [column.header for column in words.COLUMNS]
    assert not set(co[0]) & {column.header for column in words.CONTACT_COLUMNS}


def test_a_row_holds_typed_values_in_the_order_of_the_form(store: Store, world: World, tmp_path: Path) -> None:
    ref = comment(store, world, body="建议加密接驳公交，早高峰要走二十五分钟。", item="T01")
    with store.writing() as session:
        casework.in_progress(session, world, ref, NOW, "JTW", ("JGW", "FGJ"))
    (row,) = sheet_rows(export(store, world, tmp_path, Criteria()))[1:]
    beijing = datetime(2023, 7, 18, 10, 0)
    assert row == (
        1, ref, row[2], "重点任务1",
        "建议加密接驳公交，早高峰要走二十五分钟。", "公开", beijing, "区交通委", row[8], beijing, beijing,
        datetime(2023, 7, 27), None, "办理中", 7, 0, None, None, None, None, None,
    )  # fmt: skip
    assert row[8].split("、") == ["区建管委", "区房管局"]
    assert isinstance(row[0], int)
    assert " > " not in row[2]


def test_a_published_reply_is_in_the_file_and_a_draft_is_not(store: Store, world: World, tmp_path: Path) -> None:
    answered, drafted = comment(store, world), comment(store, world)
    with store.writing() as session:
        casework.replied(session, world, answered)
        casework.submitted(session, world, drafted)
    rows = {row[1]: row for row in sheet_rows(export(store, world, tmp_path, Criteria()))[1:]}
    assert rows[answered][13:17] == ("已回复", None, 0, "部分采纳")
    assert rows[answered][19] == casework.GOOD_REPLY.body
    assert rows[answered][20] == datetime(2023, 7, 18, 10, 0)
    assert rows[drafted][13] == "待审签"
    assert rows[drafted][16:21] == (None,) * 5


def test_the_same_rows_and_values_stand_in_all_formats(store: Store, world: World, tmp_path: Path) -> None:
    body = '多行\n"引号", 逗号；😀 𠮷 〇'
    ref = routed(store, world, body=body + "建议增加班次方便老人。")
    replied = comment(store, world)
    with store.writing() as session:
        casework.replied(session, world, replied)
    files = {form: export(store, world, tmp_path, Criteria(format=form)) for form in Format}
    sheet = sheet_rows(files[Format.XLSX])[1:]
    with files[Format.CSV].open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.reader(file))
    document = json.loads(files[Format.JSON].read_text("utf-8"))
    assert len(sheet) == len(table) - 1 == len(document["items"]) == document["count"] == 2
    assert table[0] == [column.header for column in words.COLUMNS]
    assert table[1][4] == document["items"][0]["comment_body"] == sheet[0][4] == body + "建议增加班次方便老人。"
    assert table[2][19] == document["items"][1]["reply_body"] == sheet[1][19]
    assert document["items"][0]["receipt_no"] == ref
    assert document["items"][0]["submitted_at"] == "2023-07-18T10:00:00+08:00"
    assert document["items"][0]["outcome"] is None
    assert document["generated_at"] == "2023-07-18T11:00:00+08:00"
    assert document["items"][0]["return_count"] == 0
    assert table[1][6] == "2023-07-18 10:00"


def test_column_15_of_csv_says_overdue_in_words_and_the_others_say_it_in_numbers(
    store: Store, world: World, tmp_path: Path
) -> None:
    routed(store, world)
    late = datetime(2023, 7, 28, 2, 0, tzinfo=UTC)
    with store.writing() as session:
        for form in Format:
            exports.open_export(
                session, world.viewer("jtw_officer"), by(world, "jtw_officer"), Criteria(format=form),
                confirmed=False, as_of=late, now=late,
            )  # fmt: skip
    paths = {}
    for _ in Format:
        made = make(store, tmp_path, late)
        assert made is not None
        paths[made.path.suffix] = made.path
    with paths[".csv"].open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file))[1][14] == "逾期1"
    assert sheet_rows(paths[".xlsx"])[1][14] == -1
    assert json.loads(paths[".json"].read_text("utf-8"))["items"][0]["remaining_working_days"] == -1


def test_r102_csv_has_a_bom_crlf_and_quotes_around_every_field(store: Store, world: World, tmp_path: Path) -> None:
    routed(store, world, body="=1+1 建议增加班次方便老人。")
    raw = export(store, world, tmp_path, Criteria(format=Format.CSV)).read_bytes()
    assert raw.startswith(b'\xef\xbb\xbf"\xe5\xba\x8f\xe5\x8f\xb7",')
    assert raw.count(b"\r\n") == 2
    assert b"\"'=1+1 " in raw
    assert b',"",' in raw


def test_an_export_is_recorded_before_a_byte_is_made_and_completed_after(
    store: Store, world: World, tmp_path: Path
) -> None:
    routed(store, world)
    number = ask(store, world, Criteria())
    with store.reading() as session:
        record = session.get_one(ExportRecord, number)
        assert (record.rows, record.sha256, record.stored_as) == (None, "", "")
        assert record.staff_id == world.viewer("jtw_officer").staff_id
        assert record.criteria["columns"][1] == "receipt_no"
        assert (record.as_of, record.asked_at) == (LATER, LATER)
        assert session.get_one(Job, record.job_id).state == "waiting"
    assert not exports.folder(tmp_path).exists()
    made = make(store, tmp_path)
    assert made is not None
    with store.reading() as session:
        record = session.get_one(ExportRecord, number)
        assert record.rows == 1
        assert record.sha256 == hashlib.sha256(made.path.read_bytes()).hexdigest()
        assert record.expires_at == LATER + timedelta(hours=24)
        assert record.file_name == "全部征集_意见办理清单_20230718-1100.xlsx"
        assert session.get_one(Job, record.job_id).state == "done"
        log = session.scalars(select(AuditEvent).where(AuditEvent.action == "export").order_by(AuditEvent.seq)).all()
        assert [(entry.object_ref, entry.detail["state"]) for entry in log] == [
            (str(number), "asked"), (str(number), "made"),
        ]  # fmt: skip
        assert log[1].detail["rows"] == 1


@pytest.mark.parametrize("form", list(Format))
def test_the_same_as_of_gives_the_same_bytes_again(store: Store, world: World, tmp_path: Path, form: Format) -> None:
    routed(store, world, "JTW", ("FGJ",))
    first = export(store, world, tmp_path, Criteria(format=form)).read_bytes()
    assert export(store, world, tmp_path, Criteria(format=form)).read_bytes() == first


def test_as_of_leaves_out_what_came_later_and_brings_back_the_state_of_then(
    store: Store, world: World, tmp_path: Path
) -> None:
    ref = routed(store, world)
    after = LATER + timedelta(hours=1)
    with store.writing() as session:
        late = make_comment(session, world).receipt_no
        casework.assigned(session, world, late, after)
        casework.routing.sign_receipt(session, world.viewer("jtw_officer"), ref, casework.version(session, ref), after)
        number = exports.open_export(
            session, world.viewer("jtw_officer"), by(world, "jtw_officer"), Criteria(),
            confirmed=False, as_of=LATER, now=after,
        )  # fmt: skip
    assert number
    made = make(store, tmp_path, after)
    assert made is not None
    (row,) = sheet_rows(made.path)[1:]
    assert (row[1], row[10], row[13]) == (ref, None, "已转办（待签收）")


def test_r100_contacts_need_a_purpose_and_a_confirmation(store: Store, world: World) -> None:
    wanted = Criteria(with_contact=True)
    with pytest.raises(FieldErrors) as caught:
        ask(store, world, wanted)
    assert caught.value.codes() == {"purpose": ["export_purpose_required"], "confirm": ["export_confirm_required"]}
    with store.reading() as session:
        assert session.scalars(select(ExportRecord)).all() == []


def test_r100_contacts_stand_as_text_for_the_lead_unit_and_nowhere_on_the_co_sheet(
    store: Store, world: World, tmp_path: Path
) -> None:
    routed(store, world)
    routed(store, world, "FGJ", ("JTW",))
    wanted = Criteria(with_contact=True, purpose="verify")
    path = export(store, world, tmp_path, wanted, confirmed=True)
    head, row = sheet_rows(path)
    assert head[-3:] == ("姓名", "联系方式", "电子邮箱")
    assert row[-3:] == ("赵晓梅", "13800138000", "zhao@example.com")
    assert b"13800138000" not in exports_bytes(path, words.CO_TITLE)
    with store.reading() as session:
        record = session.scalars(select(ExportRecord)).one()
        assert (record.with_contact, record.purpose) == (True, "verify")


def exports_bytes(path: Path, sheet: str) -> bytes:
    return repr(sheet_rows(path, sheet)).encode()


@pytest.mark.parametrize("who", ["reviewer", "assigner", "signer", "supervisor", "sysadmin", "auditor"])
def test_r100_nobody_but_the_lead_unit_exports_contacts(store: Store, world: World, who: str) -> None:
    with pytest.raises(NotAllowed):
        ask(store, world, Criteria(with_contact=True, purpose="verify"), who, confirmed=True)


def test_r48_r49_erased_and_held_contacts_stay_out_of_the_file(store: Store, world: World, tmp_path: Path) -> None:
    erased, held = routed(store, world), routed(store, world)
    with store.writing() as session:
        for ref, values in ((erased, {"erased_at": NOW}), (held, {"legal_hold": "诉讼"})):
            key = casework.get(session, ref).id
            session.execute(update(ContactDetails).where(ContactDetails.comment_id == key).values(**values))
    path = export(store, world, tmp_path, Criteria(with_contact=True, purpose="verify"), confirmed=True)
    assert [row[-3:] for row in sheet_rows(path)[1:]] == [(None, None, None)] * 2


def test_r30_what_nobody_has_reviewed_is_masked_by_the_detector(store: Store, world: World, tmp_path: Path) -> None:
    comment(store, world, body="建议增加班次，请电话联系13800138000谢谢。")
    path = export(store, world, tmp_path, Criteria(), "reviewer")
    assert sheet_rows(path)[1][4] == "建议增加班次，请电话联系[已隐去:手机]谢谢。"


def test_r38_a_sealed_comment_is_in_nobodys_file(store: Store, world: World, tmp_path: Path) -> None:
    comment(store, world, sealed=True)
    assert len(sheet_rows(export(store, world, tmp_path, Criteria(), "reviewer"))) == 1


def test_a_role_taken_away_before_the_worker_comes_ends_the_export(store: Store, world: World, tmp_path: Path) -> None:
    routed(store, world)
    ask(store, world, Criteria())
    with store.writing() as session:
        session.execute(
            update(RoleGrant).where(RoleGrant.staff_id == world.viewer("jtw_officer").staff_id).values(revoked_at=NOW)
        )
    with pytest.raises(NotAllowed):
        make(store, tmp_path)
    assert list(exports.folder(tmp_path).iterdir()) == []


def test_narrowed_by_state_and_consultation(store: Store, world: World, tmp_path: Path) -> None:
    waiting = routed(store, world)
    answered = comment(store, world)
    with store.writing() as session:
        casework.replied(session, world, answered)
    path = export(store, world, tmp_path, Criteria(states=("replied",)))
    assert [row[1] for row in sheet_rows(path)[1:]] == [answered]
    path = export(store, world, tmp_path, Criteria(consultation_id=world.consultation_id))
    assert [row[1] for row in sheet_rows(path)[1:]] == [waiting, answered]
    path = export(store, world, tmp_path, Criteria(consultation_id=world.consultation_id + 1))
    assert sheet_rows(path)[1:] == []


def test_the_co_part_alone_can_be_a_csv(store: Store, world: World, tmp_path: Path) -> None:
    routed(store, world)
    helped = routed(store, world, "FGJ", ("JTW",))
    path = export(store, world, tmp_path, Criteria(format=Format.CSV, part=Part.CO))
    with path.open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.reader(file))
    assert [row[1] for row in table[1:]] == [helped]
    assert table[0][-3:] == ["反馈期限", "本单位协办意见", "反馈时间"]


def test_items_of_a_unit_count_its_comments(store: Store, world: World, tmp_path: Path) -> None:
    routed(store, world, item="T01")
    routed(store, world, "FGJ", item="T01")
    path = export(store, world, tmp_path, Criteria(table=TableName.ITEMS))
    assert sheet_rows(path, words.ITEMS_TITLE)[1:] == [(1, "重点任务", "T01", "优化公交线网", "牵头", None, 1, 0)]


def test_a_table_of_a_unit_is_refused_to_somebody_without_one(store: Store, world: World) -> None:
    with pytest.raises(Refused, match="export_needs_unit"):
        ask(store, world, Criteria(table=TableName.ITEMS), "reviewer")


def test_a_moment_to_come_is_refused(store: Store, world: World) -> None:
    with store.writing() as session, pytest.raises(Refused, match="as_of_in_future"):
        exports.open_export(
            session, world.viewer("jtw_officer"), by(world, "jtw_officer"), Criteria(),
            confirmed=False, as_of=LATER, now=NOW,
        )  # fmt: skip


@pytest.fixture
def finished(store: Store, world: World, tmp_path: Path) -> int:
    routed(store, world)
    number = ask(store, world, Criteria())
    make(store, tmp_path)
    return number


def test_only_the_requester_downloads_and_it_is_recorded(
    store: Store, world: World, tmp_path: Path, finished: int
) -> None:
    with store.writing() as session:
        path, name = exports.download(
            session, world.viewer("jtw_officer"), by(world, "jtw_officer"), finished, tmp_path, LATER
        )
        assert path.is_file()
        assert name.endswith(".xlsx")
    with store.writing() as session, pytest.raises(NotFound):
        exports.download(session, world.viewer("jtw_officer2"), by(world, "jtw_officer2"), finished, tmp_path, LATER)
    with store.reading() as session:
        entry = session.scalars(select(AuditEvent).where(AuditEvent.action == "export_download")).one()
        assert entry.object_ref == str(finished)


def test_r100_a_file_expires_after_24_hours_and_is_deleted_while_the_record_stays(
    store: Store, world: World, tmp_path: Path, finished: int
) -> None:
    end = LATER + timedelta(hours=24)
    with store.writing() as session, pytest.raises(Refused, match="export_expired"):
        exports.download(session, world.viewer("jtw_officer"), by(world, "jtw_officer"), finished, tmp_path, end)
    with store.reading() as session:
        assert exports.delete_expired(session, tmp_path, end - timedelta(seconds=1)) == 0
        assert exports.delete_expired(session, tmp_path, end) == 1
        assert exports.delete_expired(session, tmp_path, end) == 0
        assert session.get_one(ExportRecord, finished).rows == 1
    assert list(exports.folder(tmp_path).iterdir()) == []


def test_a_cancelled_export_leaves_no_file(store: Store, world: World, tmp_path: Path) -> None:
    routed(store, world)
    number = ask(store, world, Criteria())
    with store.writing() as session:
        held = jobs.claim(session, (exports.JOB_KIND,), LATER)
        assert held is not None
        exports.cancel(session, world.viewer("jtw_officer"), by(world, "jtw_officer"), number, LATER)
    made = exports.make(held, store.reading, store.writing, CIPHER, tmp_path, lambda: LATER, lambda done, total: None)
    assert made is None
    assert list(exports.folder(tmp_path).iterdir()) == []
    with store.writing() as session, pytest.raises(Refused, match="export_ended"):
        exports.cancel(session, world.viewer("jtw_officer"), by(world, "jtw_officer"), number, LATER)


def test_the_roles_that_export_are_those_of_the_table(world: World) -> None:
    allowed = {name for name, viewer in world.staff.items() if viewer.may(Permission.EXPORT)}
    assert "jtw_officer" in allowed
    assert not allowed & {"sysadmin", "auditor"}


def test_the_log_of_the_comment_is_not_touched_by_an_export(store: Store, world: World, tmp_path: Path) -> None:
    routed(store, world)
    with store.reading() as session:
        before = len(session.scalars(select(CommentEvent.id)).all())
    export(store, world, tmp_path, Criteria())
    with store.reading() as session:
        assert len(session.scalars(select(CommentEvent.id)).all()) == before


def test_the_column_kinds_make_days_real_dates(store: Store, world: World, tmp_path: Path) -> None:
    routed(store, world)
    book = openpyxl.load_workbook(export(store, world, tmp_path, Criteria()))
    cell = book[words.LEAD_TITLE]["L2"]
    assert cell.is_date
    assert cell.number_format == "yyyy-mm-dd"
    assert cell.value.date() == date(2023, 7, 27)
    book.close()


# -- the pages -------------------------------------------------------------------------------------


@pytest.fixture
def site(store: Store) -> Any:
    return fill(store)


@pytest.fixture
def app(store: Store, site: World) -> Any:
    with site_on(store) as app:
        yield app


def run_worker(store: Store, app: Any) -> None:
    runtime = app.extensions["kaimen"]
    now = clock.utc_now()
    with store.writing() as session:
        held = jobs.claim(session, (exports.JOB_KIND,), now)
    assert held is not None
    exports.make(held, store.reading, store.writing, runtime.cipher, runtime.files_dir, clock.utc_now, lambda *_: None)


def test_one_click_asks_for_the_units_list_and_the_file_is_only_for_who_asked(
    store: Store, site: World, app: Any, tmp_path: Path
) -> None:
    mine, other = comment(store, site), comment(store, site)
    with store.writing() as session:
        casework.assigned(session, site, mine)
        casework.assigned(session, site, other, lead="FGJ")
    clock.start_at(LATER)
    officer, colleague = signed_in(app, "jtw_officer"), signed_in(app, "jtw_officer2")
    page = officer.get("/staff/exports").text
    assert "导出本单位办理清单（Excel）" in page
    button = page.partition('<form method="post" action="/staff/exports">')[2].partition("</form>")[0]
    sent = dict(re.findall(r'name="([a-z_]+)" value="([^"]*)"', button))
    answer = officer.send("/staff/exports", sent)
    assert answer.status_code == 303
    where = answer.headers["Location"]
    waiting = officer.get(where).text
    assert "<progress" in waiting
    assert "取消导出" in waiting
    assert officer.get(where + "file").status_code == 404
    run_worker(store, app)
    assert "下载文件" in officer.get(where).text
    file = officer.get(where + "file")
    assert file.status_code == 200
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert (
        "%E6%84%8F%E8%A7%81%E5%8A%9E%E7%90%86%E6%B8%85%E5%8D%95_20230718-1100.xlsx"
        in (file.headers["Content-Disposition"])
    )
    assert file.headers["Cache-Control"] == "no-store"
    (tmp_path / "got.xlsx").write_bytes(file.data)
    file.close()
    assert [row[1] for row in sheet_rows(tmp_path / "got.xlsx")[1:]] == [mine]
    assert [colleague.get(where).status_code, colleague.get(where + "file").status_code] == [404, 404]
    assert colleague.post(where + "cancel").status_code == 404
    clock.start_at(LATER + timedelta(hours=25))
    officer = signed_in(app, "jtw_officer")
    assert officer.get(where + "file").status_code == 410
    assert "已过期" in officer.get("/staff/exports").text


def test_the_form_keeps_what_was_chosen_and_says_what_is_missing(store: Store, site: World, app: Any) -> None:
    officer = signed_in(app, "jtw_officer")
    answer = officer.post(
        "/staff/exports", {"table": "handling_list", "format": "csv", "part": "lead", "with_contact": "yes"}
    )
    assert answer.status_code == 422
    assert "含联系方式的导出须选择事由" in answer.text or "事由" in answer.text
    assert 'href="#f-purpose"' in answer.text
    assert 'href="#f-confirm"' in answer.text
    assert '<option value="csv" selected>' in answer.text
    with store.reading() as session:
        assert session.scalars(select(ExportRecord)).all() == []


def test_a_cancelled_export_says_so(store: Store, site: World, app: Any) -> None:
    officer = signed_in(app, "jtw_officer")
    where = officer.post("/staff/exports", {"table": "handling_list", "format": "json"}).headers["Location"]
    assert officer.post(where + "cancel").status_code == 303
    assert "已取消" in officer.get(where).text
    assert officer.post(where + "cancel").status_code == 409


@pytest.mark.parametrize("who", ["reviewer", "auditor", "sysadmin"])
def test_contact_columns_are_not_offered_to_those_who_may_not_have_them(
    store: Store, site: World, app: Any, who: str
) -> None:
    browser = signed_in(app, who)
    page = browser.get("/staff/exports").text
    assert "with_contact" not in page
    assert "导出本单位办理清单" not in page
    answer = browser.post(
        "/staff/exports",
        {"table": "handling_list", "format": "xlsx", "with_contact": "yes", "purpose": "verify", "confirm": "yes"},
    )
    assert answer.status_code == 403


def test_r101_the_auditor_exports_the_public_table_and_nothing_hidden_is_in_it(
    store: Store, site: World, app: Any, tmp_path: Path
) -> None:
    public, waiting = comment(store, site), comment(store, site, body="还没有人看过的意见，不能公开。")
    with store.writing() as session:
        casework.accept(session, site, public)
    clock.start_at(LATER)
    auditor = signed_in(app, "auditor")
    answer = auditor.post("/staff/exports", {"table": "public_table", "format": "xlsx"})
    assert answer.status_code == 422
    chosen = {"table": "public_table", "format": "xlsx", "consultation": str(site.consultation_id)}
    where = auditor.post("/staff/exports", chosen).headers["Location"]
    run_worker(store, app)
    file = auditor.get(where + "file")
    (tmp_path / "got.xlsx").write_bytes(file.data)
    file.close()
    head, row = sheet_rows(tmp_path / "got.xlsx", words.PUBLIC_TITLE)
    assert head[:4] == ("咨询人", "意见与建议", "回复内容", "提交时间")
    assert (row[0], row[2]) == ("赵**", "办理中")
    assert waiting
