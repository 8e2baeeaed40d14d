"""Erasing what is over its time: when, what, what is kept, and what stays the same (R-46, R-48 to R-50)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import LargeBinary, inspect, select, text, update

from consult.db import Store
from consult.domain.comment_states import Publicity
from consult.domain.errors import Refused
from consult.domain.personal_data import PiiType
from consult.gateways.field_cipher import FieldUnreadableError
from consult.models import Base
from consult.models.comments import Appeal, Comment, CommentEvent, CommentOriginal, CommentTally, ContactDetails, Outbox
from consult.models.consultations import Consultation
from consult.services import appeals as own_appeals
from consult.services import events
from consult.services.contacts import Vault
from moderation.cli import cli
from moderation.models import ExportRecord, Supervision
from moderation.services import purge, reveals, screening
from moderation.services.screening import Acceptance, Covered, Proposal
from tests.support import casework
from tests.support.factories import CALENDAR, CIPHER, NOW, SUBMITTER, World, make_comment, make_world

PUBLISHED = datetime(2023, 9, 20, 2, 0, tzinfo=UTC)
LAST_MOMENT = datetime.fromisoformat("2024-03-20T23:59:59+08:00")
DUE = datetime.fromisoformat("2024-03-21T00:00:00+08:00")
VALUES = tuple(SUBMITTER.values())


@pytest.fixture
def world(store: Store) -> World:
    with store.writing() as session:
        made = make_world(session)
        for n in range(5):
            make_comment(session, made, body=f"第{n}条：请打 13800138000 找赵晓梅，建议加密公交。")
    return made


def publish_results(store: Store, at: datetime = PUBLISHED, months: int = 6) -> None:
    with store.writing() as session:
        session.execute(update(Consultation).values(feedback_published_at=at, retention_months=months))


def run(store: Store, folder: Path, now: datetime = DUE, **options: Any) -> purge.Report:
    opener = store.reading if options.get("dry_run") else store.writing
    return purge.run(opener, CIPHER, folder, now, **options)


def in_the_clear(store: Store) -> set[str]:
    """Everything any bytes column of the store still says."""
    said = set()
    with store.reading() as session:
        for table in Base.metadata.sorted_tables:
            for column in (one for one in table.columns if isinstance(one.type, LargeBinary)):
                for (value,) in session.execute(select(column).where(column.is_not(None))):
                    try:
                        said.add(CIPHER.decrypt(bytes(value)))
                    except FieldUnreadableError:
                        continue
    return said


def written(store: Store) -> str:
    parts = []
    with store.reading() as session:
        for table in inspect(store.engine).get_table_names():
            parts += [str(tuple(row)) for row in session.execute(text(f'SELECT * FROM "{table}"'))]
    return "\n".join(parts)


def statistics(store: Store) -> tuple[Sequence[Any], Sequence[Any]]:
    with store.reading() as session:
        tallies = session.execute(select(CommentTally.standing, CommentTally.n).order_by(CommentTally.standing)).all()
        states = session.execute(
            select(Comment.handling_state, Comment.publicity, Comment.outcome).order_by(Comment.id)
        ).all()
    return [tuple(row) for row in tallies], [tuple(row) for row in states]


def redacted(store: Store, world: World, ref: str) -> None:
    """Accept a comment with the number and the name in it covered; the original is kept encrypted."""
    with store.writing() as session:
        body = casework.get(session, ref).body
        number, name = body.index("138"), body.index("赵晓梅")
        spans = (
            Covered(number, number + 11, PiiType.MOBILE),
            Covered(name, name + 3, PiiType.NAME, "提交人姓名"),
        )
        casework.accept(session, world, ref, how=Acceptance(Publicity.REDACTED, spans))


@pytest.mark.parametrize(("now", "erased"), [(LAST_MOMENT, 0), (DUE, 5)])
def test_r48_six_months_run_to_the_end_of_the_day(
    store: Store, world: World, tmp_path: Path, now: datetime, erased: int
) -> None:
    publish_results(store)
    assert run(store, tmp_path, now).erased == erased


@pytest.mark.parametrize(("now", "erased"), [("2024-02-29T23:59:59+08:00", 0), ("2024-03-01T00:00:00+08:00", 5)])
def test_r50_a_month_without_the_day_ends_on_its_last(
    store: Store, world: World, tmp_path: Path, now: str, erased: int
) -> None:
    publish_results(store, datetime(2023, 8, 31, 4, 0, tzinfo=UTC))
    assert run(store, tmp_path, datetime.fromisoformat(now)).erased == erased


def test_r48_nothing_is_due_before_the_results_are_published(store: Store, world: World, tmp_path: Path) -> None:
    assert run(store, tmp_path, DUE + timedelta(days=4000)).due == 0


def test_r48_after_a_purge_no_contact_and_no_original_can_be_read_anywhere(
    store: Store, world: World, tmp_path: Path
) -> None:
    redacted(store, world, "ZP-0001")
    with store.writing() as session:
        vault = Vault(CIPHER, b"index key")
        session.execute(
            update(ContactDetails).values(
                phone_index=vault.index(SUBMITTER["phone"]), email_index=vault.index(SUBMITTER["email"])
            )
        )
    assert any(value in words for words in in_the_clear(store) for value in VALUES)
    publish_results(store)
    before = statistics(store)
    assert run(store, tmp_path).erased == 5
    assert in_the_clear(store) == set()
    said = written(store)
    assert all(value not in said for value in VALUES)
    assert statistics(store) == before
    with store.reading() as session:
        rows = session.scalars(select(ContactDetails)).all()
        assert {(one.phone_index, one.email_index) for one in rows} == {(None, None)}
        assert set(session.scalars(select(Comment.masked_name))) == {"匿名"}
        assert session.scalars(select(CommentOriginal.body)).all() == [None]
        evidence = session.scalars(select(CommentEvent).where(CommentEvent.kind == "erase_personal_info")).all()
        assert {one.reason for one in evidence} == {"retention_ended"}
        assert len(evidence) == 5
        assert evidence[0].detail["what"] == ["contact", "original"]
        assert set(session.scalars(select(Outbox.state).where(Outbox.kind == "accepted"))) == {"dropped"}


def test_r48_a_second_run_finds_nothing_to_do(store: Store, world: World, tmp_path: Path) -> None:
    publish_results(store)
    run(store, tmp_path)
    after = written(store)
    again = run(store, tmp_path, DUE + timedelta(days=1))
    assert (again.due, again.erased) == (0, 0)
    assert written(store) == after


def test_r48_a_dry_run_counts_and_changes_nothing(store: Store, world: World, tmp_path: Path) -> None:
    publish_results(store)
    before = written(store)
    report = run(store, tmp_path, dry_run=True)
    assert (report.consultations, report.due, report.erased) == (1, 5, 5)
    assert written(store) == before


def test_r48_an_interrupted_run_is_finished_by_the_next(store: Store, world: World, tmp_path: Path) -> None:
    publish_results(store)

    class Pulled(Exception):  # noqa: N818 - the plug
        pass

    def stop(done: int) -> None:
        if done >= 2:
            raise Pulled

    with pytest.raises(Pulled):
        run(store, tmp_path, batch=2, progress=stop)
    with store.reading() as session:
        left = session.scalars(select(ContactDetails.comment_id).where(ContactDetails.erased_at.is_(None))).all()
    assert len(left) == 3
    assert run(store, tmp_path, batch=2).erased == 3
    with store.reading() as session:
        assert casework.kinds(session, "ZP-0001").count("erase_personal_info") == 1


def test_r49_an_open_objection_pauses_the_purge_and_ends_the_use(store: Store, world: World, tmp_path: Path) -> None:
    with store.writing() as session:
        reviewer, seen = world.viewer("reviewer"), casework.version(session, "ZP-0001")
        screening.propose(session, reviewer, "ZP-0001", seen, Proposal("withhold", "submitter_request"), NOW)
        own_appeals.raise_appeal(session, "ZP-0001", "withhold", "请公开。", CALENDAR, NOW)
    publish_results(store)
    report = run(store, tmp_path)
    assert (report.erased, dict(report.held)) == (4, {"appeal": 1})
    with store.writing() as session, pytest.raises(Refused, match="contact_on_hold"):
        reveals.reveal(session, world.viewer("reviewer"), "ZP-0001", "verify", CIPHER, DUE)
    run(store, tmp_path)
    with store.writing() as session:
        assert casework.kinds(session, "ZP-0001").count("hold_personal_info") == 1
        session.execute(update(Appeal).values(state="refused"))
    assert run(store, tmp_path).erased == 1
    with store.reading() as session:
        assert casework.kinds(session, "ZP-0001")[-2:] == ["release_personal_info", "erase_personal_info"]
    assert in_the_clear(store) == set()


def test_r49_a_supervised_comment_is_kept_until_its_case_is_settled(store: Store, world: World, tmp_path: Path) -> None:
    with store.writing() as session:
        case = Supervision(comment_id=casework.get(session, "ZP-0002").id, cause="by_hand", opened_at=NOW)
        session.add(case)
    publish_results(store)
    assert dict(run(store, tmp_path).held) == {"supervision": 1}
    with store.writing() as session:
        session.execute(update(Supervision).values(closed_at=DUE))
    assert run(store, tmp_path).erased == 1


def test_r49_a_hold_set_by_hand_is_lifted_by_hand_only(store: Store, world: World, tmp_path: Path) -> None:
    with store.writing() as session:
        purge.hold(session, "ZP-0003", "litigation", events.SYSTEM, NOW)
        with pytest.raises(Refused, match="hold_reason_unknown"):
            purge.hold(session, "ZP-0002", "because", events.SYSTEM, NOW)
    publish_results(store)
    for _ in range(2):
        assert dict(run(store, tmp_path).held) == {"litigation": 1}
    with store.writing() as session:
        purge.release(session, "ZP-0003", events.SYSTEM, DUE)
    assert run(store, tmp_path).erased == 1


def test_r48_exported_files_with_contacts_go_too_and_their_records_stay(
    store: Store, world: World, tmp_path: Path
) -> None:
    from moderation.services import exports

    folder = exports.folder(tmp_path)
    folder.mkdir(parents=True)
    with store.writing() as session:
        for name, with_contact in (("a" * 32, True), ("b" * 32, False)):
            (folder / name).write_text("x", "utf-8")
            session.add(
                ExportRecord(
                    table_name="items",
                    format="xlsx",
                    with_contact=with_contact,
                    as_of=DUE,
                    asked_at=DUE,
                    stored_as=name,
                    expires_at=DUE + timedelta(hours=20),
                )
            )
    publish_results(store)
    assert run(store, tmp_path).files == 1
    assert [path.name for path in folder.iterdir()] == ["b" * 32]
    with store.reading() as session:
        assert len(session.scalars(select(ExportRecord.id)).all()) == 2


def test_r48_the_command_tells_what_it_would_do_and_then_does_it(
    store: Store, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_results(store)
    for name, value in {
        "CONSULT_ENV": "test",
        "CONSULT_DATABASE_URL": store.url,
        "CONSULT_NOW": DUE.isoformat(),
    }.items():
        monkeypatch.setenv(name, value)
    runner = CliRunner()
    held = runner.invoke(cli, ["purge", "hold", "ZP-0001", "--reason", "audit"])
    assert held.exit_code == 0, held.output
    dry = runner.invoke(cli, ["purge", "--dry-run"])
    assert "应清除 4 件" in dry.output
    assert "审计留存 1 件" in dry.output
    assert any(value in in_the_clear(store) for value in VALUES)
    real = runner.invoke(cli, ["purge"])
    assert (real.exit_code, "已清除 4 件" in real.output) == (0, True), real.output
    assert runner.invoke(cli, ["purge", "hold", "ZP-0001", "--lift"]).exit_code == 0
    assert "已清除 1 件" in runner.invoke(cli, ["purge"]).output
    assert in_the_clear(store) == set()


def test_the_dates_of_the_vectors_are_the_days_after_which_a_purge_erases() -> None:
    """R-48, R-50: the vectors themselves are tried with the calendar; here only that the purge uses the same rule."""
    from consult.domain.calendar import purge_last_day

    data = json.loads((Path(__file__).resolve().parents[1] / "data" / "vectors.json").read_text("utf-8"))
    assert data["purge_dates"]
    assert purge_last_day(PUBLISHED.date(), 6).isoformat() == "2024-03-20"
