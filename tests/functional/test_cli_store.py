"""The commands that need a store, run as an operator runs them."""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
from contextlib import closing, redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

import pytest

from consult import cli as public
from consult import clock
from consult.db import Store
from consult.queries import consultations as read
from consult.queries import drafts, units
from moderation.cli import cli, words_of
from tests.support.plan import NOW, PLAN
from tests.unit.test_cli_help import consult

FILE = """
title = "闵行区“十四五”规划实施中期评估报告（征求意见稿）"
short_code = "ZP"
owner_unit = "区发改委"
drafting_note = "按照工作方案形成本稿，现公开征求意见。"
how_to_comment = "在线填写意见表，或书面寄送。"

[period]
start = 2026-03-02
end = "2026-04-01"

[contact]
unit = "区发改委"
phone = "021-55550100"
"""


class Operator:
    """Runs commands against one store, at one time, in this process: a hundred interpreters would take minutes."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self.environ = {
            "CONSULT_ENV": "test",
            "CONSULT_DATABASE_URL": url,
            "CONSULT_NOW": NOW.isoformat(),
        }
        (folder / "c.toml").write_text(FILE, "utf-8")

    def run(self, *arguments: str) -> tuple[int, str, str]:
        ahead = clock.utc_now() - datetime.now(UTC)
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("CONSULT_")]:
                patch.delenv(name)
            for name, value in self.environ.items():
                patch.setenv(name, value)
            patch.chdir(self.folder)
            with redirect_stdout(out), redirect_stderr(err):
                status = public.run(cli, words_of, list(arguments))
        clock.start_at(datetime.now(UTC) + ahead)
        return status, out.getvalue(), err.getvalue()

    def __call__(self, *arguments: str) -> str:
        status, out, err = self.run(*arguments)
        assert status == 0, err
        return out

    def refused(self, *arguments: str) -> list[str]:
        status, _, err = self.run(*arguments)
        assert status != 0
        assert "Traceback" not in err
        return err.splitlines()


@pytest.fixture
def operator(store_url: str, tmp_path: Path) -> Operator:
    folder = tmp_path / "work"
    folder.mkdir()
    return Operator(store_url, folder)


def test_from_an_empty_store_to_a_published_consultation(operator: Operator, store: Store) -> None:
    assert "结构已是最新" in operator("db", "upgrade")
    assert operator("db", "check") == "数据库结构与程序一致。\n"
    first = operator("plan", "import", str(PLAN))
    assert "条目：新增 208，更新 0。" in first
    assert operator("plan", "import", str(PLAN)) == "计划与库中一致，没有改动。\n"
    operator("consultation", "create", "zhongqi", "--from", "c.toml")
    before = operator("draft", "import", str(PLAN / "draft_v1.docx"), "--consultation", "zhongqi", "--dry-run")
    assert "什么都没有写入" in before
    with store.reading() as session:
        key = read.consultation(session, "zhongqi", NOW).id
        version = drafts.editing_version(session, key)
        assert version is not None
        assert version.is_template
    rules = ["--sections", str(PLAN / "sections.csv")]
    done = operator("draft", "import", str(PLAN / "draft_v1.docx"), "--consultation", "zhongqi", *rules)
    assert "54 节" in done
    assert "（5）推进高效智慧城区治理" in done
    assert "区交通委（对照表指定）" in done
    people = ["--person-no", "1", "--unit", "FGW"]
    made = operator("user", "add", "shen", "--name", "沈签", *people, "--role", "sign_off_officer")
    assert "只显示这一次" in made
    assert "zhongqi" in operator("consultation", "publish", "zhongqi", "--as", "shen")
    assert "\topen\t" in operator("consultation", "list")
    operator(
        "consultation", "extend", "zhongqi", "--until", "2026-04-20", "--reason", "应居民要求延长期限。", "--as", "shen"
    )
    with store.reading() as session:
        row = read.consultation(session, "zhongqi", NOW)
        assert drafts.published_version(session, row.id).number == 1
    assert row.ends_on.isoformat() == "2026-04-20"


def test_c00_who_made_it_cannot_publish_it_from_the_command_line_either(operator: Operator) -> None:
    operator("plan", "import", str(PLAN))
    roles = ["--role", "sign_off_officer", "--role", "assigner"]
    operator("user", "add", "both", "--name", "甲", "--person-no", "7", *roles)
    operator("user", "add", "twin", "--name", "甲", "--person-no", "7", "--role", "sign_off_officer")
    operator("user", "add", "unit", "--name", "乙", "--person-no", "8", "--unit", "JTW", "--role", "unit_officer")
    operator("consultation", "create", "zhongqi", "--from", "c.toml", "--as", "both")
    operator("draft", "import", str(PLAN / "draft_v1.md"), "--consultation", "zhongqi", "--as", "both")
    for name in ("both", "twin"):
        refused = operator.refused("consultation", "publish", "zhongqi", "--as", name)
        assert refused == ["编辑本次征集的人不能签发，请由另一位审签人签发。"]
    assert operator.refused("consultation", "publish", "zhongqi", "--as", "unit") == ["这个账号的岗位没有这项权限。"]
    assert operator.refused("consultation", "publish", "zhongqi", "--as", "none") == ["没有在用的账号 none。"]
    operator("user", "disable", "both")
    assert operator.refused("consultation", "publish", "zhongqi", "--as", "both") == ["没有在用的账号 both。"]
    assert "新密码" in operator("user", "reset", "twin")


def test_everything_against_publishing_is_listed_one_sentence_each(operator: Operator) -> None:
    operator("plan", "import", str(PLAN))
    short = FILE.replace("2026-04-01", "2026-03-20").replace("按照工作方案形成本稿，现公开征求意见。", "")
    (operator.folder / "c.toml").write_text(short, "utf-8")
    operator("consultation", "create", "zhongqi", "--from", "c.toml")
    operator("user", "add", "shen", "--name", "沈签", "--person-no", "1", "--role", "sign_off_officer")
    assert operator.refused("consultation", "publish", "zhongqi", "--as", "shen") == [
        "缺草案分章正文：请导入评估稿。",
        "缺起草说明。",
        "征集期限不足 30 日，最早可定到 2026年4月1日；确需缩短，请勾选“缩短期限”并说明理由。",
    ]


def test_a_wrong_plan_names_every_bad_row_and_stores_nothing(operator: Operator, store: Store) -> None:
    folder = operator.folder / "plan"
    folder.mkdir()
    for name in ("units.csv", "items.csv", "fixes.csv"):
        shutil.copy(PLAN / name, folder)
    text = (folder / "items.csv").read_text("utf-8").replace(",重大项目,", ",大项目,")
    (folder / "items.csv").write_text(text, "utf-8")
    lines = operator.refused("plan", "import", str(folder))
    bad = [line for line in lines if line.startswith("items.csv 第 ")]
    assert len(bad) == 74
    assert lines[-1].endswith("什么都没有写入。")
    with store.reading() as session:
        assert units.list_units(session) == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace("2026-03-02", "开始"), "不是正确的 TOML"),
        (lambda text: text.replace('"2026-04-01"', '"四月"'), "ends_on 应是日期"),
        (lambda text: text.replace("short_code", "kurz"), "缺少：short_code"),
        (lambda text: text + "\ncolour = 1\n", "不认识的项：contact_colour"),
        (lambda text: text.replace("区发改委", "区某局", 1), "没有这个单位。"),
        (lambda text: text.replace('"ZP"', '"zp"'), "编号字头为 1—6 个大写字母"),
    ],
)
def test_a_wrong_file_of_a_consultation_is_explained(operator: Operator, change, words: str) -> None:  # type: ignore[no-untyped-def]
    operator("plan", "import", str(PLAN))
    (operator.folder / "c.toml").write_text(change(FILE), "utf-8")
    assert any(words in line for line in operator.refused("consultation", "create", "x", "--from", "c.toml"))
    assert operator("consultation", "list") == "还没有征集。\n"


# -- backup and restore: SQLite only ---------------------------------------------------------------


@pytest.fixture
def sqlite_operator(sqlite_template: Path, tmp_path: Path) -> Operator:
    folder = tmp_path / "work"
    folder.mkdir()
    shutil.copy(sqlite_template, folder / "consult.db")
    return Operator(f"sqlite:///{folder / 'consult.db'}", folder)


def _units(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM unit").fetchone()[0])


def test_a_backup_holds_everything_and_comes_back(sqlite_operator: Operator) -> None:
    folder = sqlite_operator.folder
    sqlite_operator("plan", "import", str(PLAN))
    sqlite_operator("backup", "copy.db")
    assert _units(folder / "copy.db") == 85
    for name in ("consult.db", "consult.db-wal", "consult.db-shm"):
        (folder / name).unlink(missing_ok=True)
    assert sqlite_operator("restore", "copy.db") == "已恢复。\n"
    assert sqlite_operator("plan", "import", str(PLAN)) == "计划与库中一致，没有改动。\n"
    assert sqlite_operator("db", "check")


def test_restore_overwrites_an_empty_store_but_a_full_one_only_when_forced(sqlite_operator: Operator) -> None:
    sqlite_operator("backup", "empty.db")
    sqlite_operator("restore", "empty.db")
    sqlite_operator("plan", "import", str(PLAN))
    refused = sqlite_operator.refused("restore", "empty.db")
    assert refused == ["现有数据库不是空的；确要覆盖，请加 --force，并先备份。"]
    assert _units(sqlite_operator.folder / "consult.db") == 85
    sqlite_operator("restore", "empty.db", "--force")
    assert _units(sqlite_operator.folder / "consult.db") == 0


def test_a_backup_never_overwrites_a_file(sqlite_operator: Operator) -> None:
    (sqlite_operator.folder / "copy.db").write_text("mine")
    assert sqlite_operator.refused("backup", "copy.db") == ["文件 copy.db 已经存在，请换一个名字。"]
    assert sqlite_operator.refused("backup", "none/copy.db") == ["文件夹不存在，备份 copy.db 没有写。"]
    assert (sqlite_operator.folder / "copy.db").read_text() == "mine"


def test_what_is_no_backup_of_ours_is_not_restored(sqlite_operator: Operator) -> None:
    folder = sqlite_operator.folder
    (folder / "noise.db").write_bytes(b"noise" * 1000)
    with closing(sqlite3.connect(folder / "other.db")) as connection:
        connection.execute("CREATE TABLE other (id INTEGER)")
        connection.commit()
    sqlite_operator("backup", "good.db")
    whole = (folder / "good.db").read_bytes()
    (folder / "cut.db").write_bytes(whole[: len(whole) // 2])
    before = (folder / "consult.db").read_bytes()
    assert sqlite_operator.refused("restore", "noise.db") == ["备份文件已损坏，没有恢复。"]
    assert sqlite_operator.refused("restore", "other.db") == ["这不是本系统的备份，没有恢复。"]
    assert sqlite_operator.refused("restore", "cut.db") == ["备份文件已损坏，没有恢复。"]
    assert (folder / "consult.db").read_bytes() == before


def test_commands_without_a_store_say_how_to_make_one(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    operator = Operator(f"sqlite:///{folder / 'none.db'}", folder)
    assert operator.refused("consultation", "list") == ["还没有数据库，请先运行 consult db upgrade。"]
    assert not (folder / "none.db").exists()
    assert operator("db", "upgrade").startswith("数据库结构已升级到")
    assert operator("db", "upgrade").endswith("没有改动。\n")
    assert operator("consultation", "list") == "还没有征集。\n"


def test_config_hides_secrets_and_new_keys_are_accepted_in_production(tmp_path: Path) -> None:
    keys = dict(line.split("=", 1) for line in consult("config", "new-key", cwd=tmp_path).stdout.splitlines())
    assert set(keys) == {"CONSULT_SECRET_KEY", "CONSULT_FIELD_KEYS", "CONSULT_INDEX_KEY"}
    url = {"CONSULT_DATABASE_URL": "postgresql+psycopg://u:secret@db/consult"}
    done = consult("config", cwd=tmp_path, **keys, **url)
    assert done.returncode == 0
    assert not any(key in done.stdout for key in (*keys.values(), "secret@"))
    assert "database_url = postgresql+psycopg://u:***@db/consult" in done.stdout
