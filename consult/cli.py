"""The public and the store commands of `consult`; `moderation/cli.py` adds those of the staff and is the entry point.

`label` and `--help` need no settings, keys or store, so nothing that does is imported before it is used. Whatever
goes wrong ends in one plain sentence on stderr and a status that is not zero, and nothing is half written.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import click

from consult.domain.errors import DomainError

if TYPE_CHECKING:
    from consult.db import Store
    from consult.settings import Settings

Line = dict[str, Any]
ExistingFile = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
PII_TYPES = frozenset({"id_card", "mobile", "landline", "bank_card", "email", "plate", "address", "wechat"})
_COPY_SENTENCES = {
    "backup_exists": "文件 {file} 已经存在，请换一个名字。",
    "backup_folder_missing": "文件夹不存在，备份 {file} 没有写。",
    "store_missing": "还没有数据库，没有可备份的内容。",
    "backup_unreadable": "备份文件打不开：{reason}。",
    "backup_damaged": "备份文件已损坏，没有恢复。",
    "backup_not_ours": "这不是本系统的备份，没有恢复。",
    "store_not_empty": "现有数据库不是空的；确要覆盖，请加 --force，并先备份。",
    "store_busy": "数据库正忙，没有办成，请稍后再试。",
}


class Stop(click.ClickException):
    """One plain sentence for the operator; the command ends with status 1 and has changed nothing."""


@dataclass(frozen=True)
class Running:
    """What a command works with: settings, an open store in use, and the moment it started."""

    settings: Settings
    store: Store
    now: datetime


# -- settings and store ----------------------------------------------------------------------------


def load_settings() -> Settings:
    """Read the settings and start the clock where the test environment wants it.

    Raises:
        Stop: a setting is missing or wrong.
    """
    from consult import clock, settings

    try:
        found = settings.load()
    except settings.SettingsError as error:
        raise Stop(str(error)) from error
    if found.now is not None:
        clock.start_at(found.now)
    return found


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite address, None for another kind of store."""
    from sqlalchemy.engine import make_url

    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return None
    if not parsed.database or parsed.database == ":memory:":
        raise Stop("命令行需要一个数据库文件，不能用内存数据库。")
    return Path(parsed.database).expanduser()


@contextmanager
def running(*, migrated: bool = True) -> Iterator[Running]:
    """Open the store of the settings for one command.

    Raises:
        Stop: there is no store, or it misses migrations.
    """
    from consult import clock, db

    settings = load_settings()
    file = sqlite_file(settings.database_url)
    if migrated and file is not None and not file.is_file():
        raise Stop("还没有数据库，请先运行 consult db upgrade。")
    store = db.Store(settings.database_url)
    try:
        if migrated:
            _require_migrations(store)
        db.use(store)
        yield Running(settings, store, clock.utc_now())
    finally:
        store.dispose()


def _require_migrations(store: Store) -> None:
    from consult import db

    if not db.is_alive(store):
        raise Stop("数据库连不上，请检查 CONSULT_DATABASE_URL 和数据库服务。")
    have, newest = db.revision(store), _newest(store)
    if have != newest:
        raise Stop(f"数据库的结构是 {have or '空'}，程序需要 {newest}，请先运行 consult db upgrade。")


def _newest(store: Store) -> str | None:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_migrations(store)).get_current_head()


def _migrations(store: Store) -> Any:
    from consult import db
    from consult.gateways.assets import asset_root

    config = db.migration_config(store.url, asset_root())
    config.stdout = io.StringIO()  # its English remarks are not for the operator
    return config


# -- the group and its errors ----------------------------------------------------------------------


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="kaimen", prog_name="consult")
def cli() -> None:
    """开门评：规划实施评估公开征求意见。"""


def usage_sentence(error: click.UsageError) -> str:
    """Return what is wrong with the command line, in Chinese."""
    if isinstance(error, click.NoSuchOption):
        return f"没有选项 {error.option_name}。"
    name = ""
    if isinstance(error, click.BadParameter) and error.param is not None and error.ctx is not None:
        name = error.param.get_error_hint(error.ctx)
    if isinstance(error, click.MissingParameter):
        return f"缺少参数 {name}。"
    if isinstance(error, click.BadParameter):
        return f"参数 {name} 不对：文件或文件夹不存在，或者值不合要求。"
    return "命令或参数不对。"


def run(group: click.Group, words: Callable[[DomainError], Iterable[str]], arguments: list[str] | None = None) -> int:
    """Run a command and return its exit status; whatever fails is told on stderr without a traceback."""
    try:
        result = group.main(args=arguments, prog_name="consult", standalone_mode=False)
    except click.UsageError as error:
        return _fail([usage_sentence(error), "用 --help 看用法。"], 2)
    except click.ClickException as error:
        return _fail([error.message], 1)
    except click.Abort:
        return _fail(["已中止，没有改动。"], 130)
    except DomainError as error:
        return _fail(list(words(error)), 1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _fail([f"文件读写没有成功：{error.strerror or type(error).__name__}。"], 1)
    except Exception as error:  # noqa: BLE001 - the operator gets a sentence, never a traceback
        return _fail([f"没有办成，程序内部出错（{type(error).__name__}），没有改动。"], 70)
    return result if isinstance(result, int) else 0


def _fail(lines: list[str], status: int) -> int:
    for line in lines:
        click.echo(line, err=True)
    return status


def words_of(error: DomainError) -> Iterable[str]:
    """Return what a refusal says on the command line."""
    from consult import i18n
    from consult.domain.outline_model import DraftRefused
    from consult.domain.outline_texts import refusal_sentence
    from consult.domain.plan_rows import PlanRefused
    from consult.gateways.sqlite_copy import CopyRefused

    if isinstance(error, PlanRefused):
        return [*map(str, error.problems), f"共 {len(error.problems)} 处错误，什么都没有写入。"]
    if isinstance(error, DraftRefused):
        return [refusal_sentence(error)]
    if isinstance(error, CopyRefused):
        return [_COPY_SENTENCES[error.code].format_map(error.params)]
    return [i18n.say(error)]


# -- settings --------------------------------------------------------------------------------------


@cli.group(invoke_without_command=True)
@click.pass_context
def config(context: click.Context) -> None:
    """列出设置，密钥不显示。"""
    if context.invoked_subcommand is not None:
        return
    for name, value in load_settings().shown().items():
        click.echo(f"{name} = {value}")


@config.command("new-key")
def new_key() -> None:
    """生成一组新密钥（三行，可放进环境变量）。"""
    import base64
    import secrets

    click.echo(f"CONSULT_SECRET_KEY={secrets.token_urlsafe(48)}")
    click.echo(f"CONSULT_FIELD_KEYS={base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}")
    click.echo(f"CONSULT_INDEX_KEY={secrets.token_urlsafe(48)}")


# -- store -----------------------------------------------------------------------------------------


@cli.group()
def db() -> None:
    """数据库的结构。"""


@db.command()
def upgrade() -> None:
    """把数据库升级到程序需要的结构。"""
    from alembic import command

    from consult import db as stores
    from consult.services import search_index

    with running(migrated=False) as run_with:
        if sqlite_file(run_with.store.url) is None and not stores.is_alive(run_with.store):
            raise Stop("数据库连不上，请检查 CONSULT_DATABASE_URL 和数据库服务。")
        before = stores.revision(run_with.store)
        newest = _newest(run_with.store)
        if before == newest:
            click.echo(f"数据库结构已是最新（{newest}），没有改动。")
            return
        command.upgrade(_migrations(run_with.store), "head")
        click.echo(f"数据库结构已升级到 {newest}。")
        with stores.writing() as session:
            indexed = search_index.rebuild(session) if search_index.is_missing(session) else 0
        if indexed:
            click.echo(f"检索索引已建立：{indexed} 条公开意见。")


@db.command()
def check() -> None:
    """核对数据库结构与程序是否一致。"""
    from alembic import command
    from alembic.util.exc import AutogenerateDiffsDetected

    with running() as run_with:
        try:
            command.check(_migrations(run_with.store))
        except AutogenerateDiffsDetected as error:
            raise Stop("数据库结构与程序不一致，请运行 consult db upgrade 或联系开发者。") from error
        click.echo("数据库结构与程序一致。")


@cli.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """把 SQLite 数据库备份到 FILE（服务可以不停）。"""
    from consult.gateways import sqlite_copy

    source = sqlite_file(load_settings().database_url)
    if source is None:
        raise Stop("PostgreSQL 请用 pg_dump 备份。")
    size = sqlite_copy.backup(source, file)
    click.echo(f"已备份到 {file}（{size} 字节）。联系方式在备份里是加密的，请另行保存密钥。")


@cli.command()
@click.argument("file", type=ExistingFile)
@click.option("--force", is_flag=True, help="现有数据库不空也覆盖。")
def restore(file: Path, force: bool) -> None:
    """用备份 FILE 恢复 SQLite 数据库。"""
    from consult import db as stores
    from consult.gateways import sqlite_copy

    settings = load_settings()
    target = sqlite_file(settings.database_url)
    if target is None:
        raise Stop("PostgreSQL 请用 pg_restore 恢复。")
    revision = sqlite_copy.restore(file, target, force=force)
    store = stores.Store(settings.database_url)
    newest = _newest(store)
    store.dispose()
    click.echo("已恢复。" if revision == newest else f"已恢复；备份的结构是 {revision}，请运行 consult db upgrade。")


@cli.group()
def search() -> None:
    """公开意见的全文检索。"""


@search.command()
def rebuild() -> None:
    """按现在公开的意见和答复重建检索索引（平时随每次改动自动更新）。"""
    from consult import db as stores
    from consult.services import search_index

    done = search_index.Progress()
    with running():
        while not done.finished:
            with stores.writing() as session:
                done = search_index.rebuild_next(session, done)
    click.echo(f"检索索引已重建：{done.indexed} 条公开意见。")


# -- plan and consultations ------------------------------------------------------------------------


@cli.group()
def plan() -> None:
    """规划的条目和单位。"""


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file, a byte order mark passed over.

    Raises:
        Stop: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Stop(f"{path.name} 不是 UTF-8 编码，请另存为 UTF-8 后再导入。") from error
    except OSError as error:
        raise Stop(f"{path.name} 打不开：{error.strerror}。") from error


@plan.command("import")
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
def plan_import(folder: Path) -> None:
    """导入 DIR 里的 units.csv、items.csv、fixes.csv。"""
    from consult import db as stores
    from consult.domain.plan_rows import read_plan
    from consult.services import calendars, plan_import, programmes

    rows = read_plan(*(read_text(folder / name) for name in ("units.csv", "items.csv", "fixes.csv")))
    with running(), stores.writing() as session:
        done = plan_import.import_plan(session, rows)
        years = calendars.seed(session)
        _, made = programmes.ensure_midterm(session)
    if done.nothing_changed and not years and not made:
        click.echo("计划与库中一致，没有改动。")
        return
    for name, label in (("units", "单位"), ("items", "条目"), ("notes", "编者注")):
        click.echo(f"{label}：新增 {done.created[name]}，更新 {done.changed[name]}。")
    if years:
        click.echo(f"工作日历：新增 {years} 年。")
    if done.only_in_store:
        click.echo(f"表中没有、库中保留：{'、'.join(done.only_in_store)}。")


@cli.group()
def consultation() -> None:
    """征集。"""


@consultation.command("list")
def consultation_list() -> None:
    """列出全部征集。"""
    from consult import db as stores
    from consult.queries import consultations

    with running() as run_with, stores.reading() as session:
        rows = consultations.list_consultations(session, run_with.now)
    if not rows:
        click.echo("还没有征集。")
    for row in rows:
        click.echo(f"{row.slug}\t{row.state}\t{row.starts_on}—{row.ends_on}\t{row.owner_name}\t{row.title}")


# -- label -----------------------------------------------------------------------------------------


@cli.group()
def label() -> None:
    """用程序自己的判断给标注文件作答，一行一答（不需要设置、密钥和数据库）。"""


Out = click.option("-o", "out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="写到这个文件。")


def read_lines(path: Path) -> list[Line]:
    """Return the JSON objects of a file, one per line.

    Raises:
        Stop: a line is not a JSON object.
    """
    found: list[Line] = []
    lines = read_text(path).split("\n")
    if lines and not lines[-1].strip():
        lines.pop()
    for number, text in enumerate(lines, start=1):
        try:
            row = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise Stop(f"{path.name} 第 {number} 行不是 JSON。") from error
        if not isinstance(row, dict):
            raise Stop(f"{path.name} 第 {number} 行应是一个 JSON 对象。")
        found.append(row)
    return found


def text_of(path: Path, number: int, row: Line, name: str = "text") -> str:
    """Return a text of one line.

    Raises:
        Stop: it is missing or no text.
    """
    value = row.get(name)
    if not isinstance(value, str):
        raise Stop(f"{path.name} 第 {number} 行缺少文字 {name}。")
    return value


def write_lines(out: Path, rows: Iterable[object], total: int | None = None) -> None:
    """Write one JSON line per row; the file appears only when every line is there."""
    import secrets

    beside = out.with_name(f".{out.name}.{secrets.token_hex(4)}")
    shown = sys.stderr.isatty()
    try:
        with (
            beside.open("w", encoding="utf-8", newline="\n") as file,
            click.progressbar(rows, length=total, file=sys.stderr, hidden=not shown) as bar,
        ):
            for row in bar:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        beside.replace(out)
    except OSError as error:
        raise Stop(f"{out.name} 写不了：{error.strerror}。") from error
    finally:
        beside.unlink(missing_ok=True)


@label.command()
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@Out
def sections(folder: Path, out: Path) -> None:
    """识别 DIR 中每份文件的章节。"""
    from consult.gateways.draft_import import label_sections

    write_lines(out, ({"file": one["file"], "sections": one["sections"]} for one in label_sections(folder)))


@label.command()
@click.argument("file", metavar="IN.jsonl", type=ExistingFile)
@Out
def pii(file: Path, out: Path) -> None:
    """找出个人信息。"""
    from consult.domain.personal_data import Level, find

    def answer(number: int, row: Line) -> object:
        found: list[tuple[int, int, str]] = []
        for one in find(text_of(file, number, row)):
            kind = "wechat" if one.type.value == "qq" else one.type.value
            if one.level is not Level.INFO and kind in PII_TYPES:
                found.append((one.start, one.end, kind))
        return {"spans": found}

    rows = read_lines(file)
    write_lines(out, (answer(number, row) for number, row in enumerate(rows, start=1)), len(rows))


@label.command()
@click.argument("file", metavar="IN.jsonl", type=ExistingFile)
@Out
def duplicates(file: Path, out: Path) -> None:
    """把近似重复的意见归组。"""
    from consult.domain.similarity import group_duplicates

    rows = read_lines(file)
    groups = group_duplicates([text_of(file, number, row) for number, row in enumerate(rows, start=1)])
    write_lines(out, ({"group": group} for group in groups), len(rows))


@label.command()
@click.argument("file", metavar="IN.jsonl", type=ExistingFile)
@Out
def anchors(file: Path, out: Path) -> None:
    """在修改后的文稿中找到引用的句子。"""
    from consult.domain.anchors import reanchor

    def answer(number: int, row: Line) -> object:
        quote, prefix, suffix = (text_of(file, number, row, name) for name in ("quote", "prefix", "suffix"))
        before, after, block = row.get("before"), row.get("after"), row.get("block")
        if not (_texts(before) and _texts(after)):
            raise Stop(f"{file.name} 第 {number} 行的 before、after 应是文字的列表。")
        if not isinstance(block, int) or isinstance(block, bool) or not 0 <= block < len(before):
            raise Stop(f"{file.name} 第 {number} 行的 block 不是 before 中的序号。")
        found = reanchor(quote, prefix, suffix, block, before, after)
        return {"state": found.state.value, "block": found.block, "start": found.start, "end": found.end}

    rows = read_lines(file)
    write_lines(out, (answer(number, row) for number, row in enumerate(rows, start=1)), len(rows))


def _texts(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
