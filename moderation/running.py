"""`consult demo`, `serve`, `worker`, `outbox send` and `export`: what runs on this machine, and for how long."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from consult import cli as public
from consult.cli import Stop, running

if TYPE_CHECKING:
    from consult.cli import Running
    from consult.gateways.mail import Server
    from consult.services.outbox import Desk
    from moderation.services.work import Handler, Task


@click.command()
def demo() -> None:
    """载入演示数据：闵行区规划、三次征集和三百条意见。第二次运行什么也不改。"""
    from alembic import command

    from consult import db
    from consult.gateways.assets import asset_root, plan_data
    from consult.gateways.draft_import import read_draft
    from consult.gateways.password_hashing import hash_password, new_password
    from moderation.domain.handling_list import STATES
    from moderation.services import demonstration

    settings = public.load_settings()
    if settings.is_production:
        raise Stop("演示数据不能装进正式环境，请用 CONSULT_ENV=demo。")
    config = db.migration_config(settings.database_url, asset_root())
    with running(migrated=False) as run_with:
        command.upgrade(config, "head")
        with db.reading() as session:
            loaded = demonstration.is_loaded(session)
        if loaded:
            _print_logins({})
            return
        files = demonstration.read_files(plan_data(), read_draft)
        # Hashed before the transaction begins: it takes 45 ms each and must not hold the write lock.
        passwords = {username: new_password() for username, *_rest in demonstration.PRINTED}
        hashes = {username: hash_password(password) for username, password in passwords.items()}
        hashes[""] = hash_password(new_password())
        with db.writing() as session:
            summary = demonstration.load(session, files, _keys(settings), hashes, run_with.now, _tell)
    click.echo(f"载入意见 {summary.comments} 条：" + "，".join(f"{STATES[state]} {n}" for state, n in summary.states))
    _print_logins(passwords)


def _keys(settings: Any) -> Any:
    from consult import security
    from consult.gateways.blind_index import digest_query_code
    from consult.gateways.field_cipher import FieldCipher
    from consult.services.contacts import Vault
    from moderation.services.demonstration import Keys

    cipher = FieldCipher(list(settings.field_keys))
    index_key = security.derive_key(settings.index_key, "index")
    return Keys(Vault(cipher, index_key), cipher, lambda code: digest_query_code(index_key, code).hex())


def _tell(step: str) -> None:
    click.echo(f"  {step}……")


def _print_logins(passwords: dict[str, str]) -> None:
    from moderation.services import demonstration

    click.echo("工作人员登录（/staff/sign-in）：")
    for username, who, *_rest in demonstration.PRINTED:
        click.echo(f"  {username:<12} {passwords.get(username, ''):<18} {who}")
    if not passwords:
        click.echo("演示数据早已载入，密码只在第一次显示。忘了密码：consult user reset 账号")


@click.command()
@click.option("--workers", default=0, help="网页进程数，0 表示按配置文件。")
def serve(workers: int) -> None:
    """运行网站和一个后台进程；PORT 指定端口，Ctrl-C 停止。"""
    from consult.gateways.assets import asset_root

    with running():
        pass  # a store that is missing or behind its migrations is told in one sentence before anything starts
    root = asset_root()
    web = [sys.executable, "-m", "gunicorn", "--config", str(root / "gunicorn.conf.py"), "--pythonpath", str(root)]
    if workers:
        web += ["--workers", str(workers)]
    background = subprocess.Popen([sys.executable, "-m", "moderation.cli", "worker"])
    site = subprocess.Popen([*web, "wsgi:app"])  # noqa: S603 - our own program with our own words

    def stop(_signal: int, _frame: FrameType | None) -> None:
        site.terminate()
        background.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    status = site.wait()
    background.terminate()
    background.wait(timeout=30)
    sys.exit(0 if status in {0, -signal.SIGTERM} else status)


# -- the worker ------------------------------------------------------------------------------------


@click.command()
@click.option("--once", is_flag=True, help="把等着的做完就结束。")
def worker(once: bool) -> None:
    """后台进程：做导出、发邮件、清理过期文件；SIGTERM 或 Ctrl-C 停止，没做完的下次接着做。"""
    from consult import clock, logs
    from moderation.services import work

    logs.configure()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    with running() as run_with:
        parts = work.Parts(
            writing=run_with.store.writing,
            clock=clock.utc_now,
            wait=stop.wait,
            stopping=stop.is_set,
            handlers={"export": _export_handler(run_with)},
            tasks=_tasks(run_with, stop.is_set),
        )
        work.run(parts, once=once)


def _export_handler(run_with: Running) -> Handler:
    from consult import clock
    from consult.gateways.field_cipher import FieldCipher
    from moderation.services import exports

    store, files = run_with.store, run_with.settings.files_dir
    cipher = FieldCipher(list(run_with.settings.field_keys))

    def make(held: Any, progress: Any) -> None:
        exports.make(held, store.reading, store.writing, cipher, files, clock.utc_now, progress)

    return make


def _tasks(run_with: Running, stopping: Callable[[], bool]) -> list[Task]:
    """Return what the worker does at intervals."""
    from consult.gateways.field_cipher import FieldCipher
    from moderation.queries import bulk as waiting
    from moderation.services import bulk, deadlines, exports, sealing
    from moderation.services.work import Task

    cipher = FieldCipher(list(run_with.settings.field_keys))

    def expire(now: datetime) -> int:
        with run_with.store.reading() as session:
            return exports.delete_expired(session, run_with.settings.files_dir, now)

    def seal(now: datetime) -> int:
        with run_with.store.writing() as session:
            return int(sealing.seal(session, now))

    def apply_bulk(now: datetime) -> int:
        with run_with.store.reading() as session:
            if not waiting.due(session, now):
                return 0
        return bulk.apply_due(run_with.store.writing, cipher, now)

    def run_deadlines(now: datetime) -> int:
        return deadlines.run(run_with.store.writing, now).total

    tasks = [
        Task("expire_exports", timedelta(minutes=10), expire),
        Task("deadlines", timedelta(minutes=5), run_deadlines),
        Task("bulk", timedelta(seconds=10), apply_bulk),
        Task("seal", timedelta(minutes=10), seal),
    ]
    if run_with.settings.smtp_url:
        _mail_server(run_with)  # a wrong address is told at the start, not every ten seconds
        # A few at a time: a slow mail server must not hold up a job's lease.
        tasks.append(
            Task("outbox", timedelta(seconds=10), lambda _now: _send_mail(run_with, 0 if stopping() else 5)[0])
        )
    return tasks


@click.group()
def outbox() -> None:
    """待发邮件。"""


@outbox.command("send")
@click.option("--limit", default=1_000, show_default=True, help="这一次最多发几封。")
def outbox_send(limit: int) -> None:
    """发出到期的邮件；没有设置 CONSULT_SMTP_URL 时只报有几封在等。"""
    from consult import db
    from consult.queries import outbox as read

    with running() as run_with:
        if not run_with.settings.smtp_url:
            with db.reading() as session:
                waiting = read.counts(session).get("waiting", 0)
            click.echo(f"没有设置 CONSULT_SMTP_URL，{waiting} 封邮件留在待发。")
            return
        sent, delayed, parked, dropped = _send_mail(run_with, limit)
    click.echo(f"已发 {sent} 封，稍后再试 {delayed} 封，搁置 {parked} 封，无邮箱或已清除 {dropped} 封。")


def _send_mail(run_with: Running, limit: int) -> tuple[int, int, int, int]:
    from consult import clock
    from consult.gateways.mail import Mailer
    from consult.services import outbox as service

    server, handler = _mail_server(run_with)
    with Mailer(server) as mailer:
        done = service.send_due(run_with.store.writing, _desk(run_with, handler), mailer, clock.utc_now, limit)
    return done.sent, done.delayed, done.parked, done.dropped


def _mail_server(run_with: Running) -> tuple[Server, str]:
    """Return where mail is handed over and who signs it.

    Raises:
        Stop: the address of the server or the site file cannot be used.
    """
    from consult.app import site_of
    from consult.gateways.mail import read_smtp_url
    from consult.settings import SettingsError

    try:
        site = site_of(run_with.settings)
        return read_smtp_url(run_with.settings.smtp_url, site.contact_email), site.organiser
    except SettingsError as error:
        raise Stop(str(error)) from error
    except ValueError as error:
        raise Stop("CONSULT_SMTP_URL 应写成 smtp://主机:25 或 smtps://用户:密码@主机:465。") from error


def _desk(run_with: Running, handler: str) -> Desk:
    from consult.gateways.field_cipher import FieldCipher
    from consult.services.outbox import Desk
    from moderation.queries import notice_facts

    cipher = FieldCipher(list(run_with.settings.field_keys))
    return Desk(cipher, handler, run_with.settings.base_url, notice_facts.mailboxes, notice_facts.words)


# -- exports ---------------------------------------------------------------------------------------


@click.group()
def export() -> None:
    """导出清单，不含联系方式；每次都留导出记录。"""


def _export_options(command: Callable[..., None]) -> Callable[..., None]:
    options = (
        click.option("--unit", default="", metavar="CODE", help="单位代码或名称；不给则为全部单位。"),
        click.option("--consultation", default="", metavar="SLUG", help="只要这一次征集。"),
        click.option(
            "--as-of", "as_of", default="", metavar="TIME", help="数据时点，如 2026-11-22T09:00；不给则为现在。"
        ),
        click.option("--format", "form", type=click.Choice(["xlsx", "csv", "json"]), default="xlsx", show_default=True),
        click.option(
            "-o", "out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="写到哪个文件。"
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@export.command("opinions")
@_export_options
def export_opinions(unit: str, consultation: str, as_of: str, form: str, out: Path) -> None:
    """意见办理清单：主办的和协办的。"""
    _export("handling_list", unit, consultation, as_of, form, out)


@export.command("items")
@_export_options
def export_items(unit: str, consultation: str, as_of: str, form: str, out: Path) -> None:
    """单位事项清单：责任分解表里有这个单位的条目。"""
    if not unit:
        raise Stop("请用 --unit 指明单位。")
    _export("unit_items", unit, consultation, as_of, form, out)


def _export(table: str, unit: str, consultation: str, as_of: str, form: str, out: Path) -> None:
    from consult import clock, db
    from consult.gateways.field_cipher import FieldCipher
    from consult.queries import consultations, units
    from consult.services import jobs
    from moderation.domain.handling_list import Criteria, Format, TableName
    from moderation.services import exports

    if not out.parent.is_dir():
        raise Stop(f"文件夹不存在，{out.name} 没有写。")
    with running() as run_with:
        store, now = run_with.store, run_with.now
        moment = _moment(as_of) if as_of else now
        with db.writing() as session:
            criteria = Criteria(
                table=TableName(table),
                format=Format(form),
                consultation_id=consultations.consultation(session, consultation, now).id if consultation else None,
                unit_id=units.find_unit(session, unit).id if unit else None,
            )
            number = exports.open_operators_export(session, criteria, moment, now)
            # Claimed in the transaction that records it, so that no worker takes it.
            held = jobs.claim(session, (exports.JOB_KIND,), now, exports.job_of(session, number))
        if held is None:
            raise Stop("没有办成，请再试一次。")
        cipher = FieldCipher(list(run_with.settings.field_keys))
        tell = _Progress(lambda done, total: _beat(store.writing, held, done, total))
        try:
            made = exports.make(
                held, store.reading, store.writing, cipher, run_with.settings.files_dir, clock.utc_now, tell
            )
        except BaseException as error:
            with db.writing() as session:
                jobs.fail(session, held, type(error).__name__, clock.utc_now(), for_good=True)
            raise
        if made is None:
            raise Stop("导出已被取消。")
        shutil.move(made.path, out)
    click.echo(f"已写 {out}：{made.rows} 行，SHA-256 {made.sha256}，导出记录 {number} 号。")


def _beat(writing: Any, held: Any, done: int, total: int) -> None:
    from consult import clock
    from consult.services import jobs

    with writing() as session:
        jobs.beat(session, held, done, total, clock.utc_now())


class _Progress:
    """Tells how far an export is: on the terminal as it goes, and in its job now and then."""

    def __init__(self, report: Callable[[int, int], None]) -> None:
        self._report = report

    def __call__(self, done: int, total: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r  {done} / {total}", err=True, nl=done >= total)
        if done == 0 or done % 10_000 == 0:
            self._report(done, total)


def _moment(text: str) -> datetime:
    from consult.domain.calendar import BEIJING

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Stop("--as-of 应是时间，如 2026-11-22T09:00。") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)


@click.group()
def audit() -> None:
    """操作记录。"""


@audit.command("verify")
def audit_verify() -> None:
    """核对全部记录链和封存：有任何一条被改、被删、被调换都会报出来。"""
    from consult import db
    from moderation.services import verification

    with running(), db.reading() as session:
        problems = verification.verify(session)
    for line in problems:
        click.echo(line)
    if problems:
        raise Stop(f"记录不完整，发现 {len(problems)} 处问题。")
    click.echo("记录完整：每一条链都连得上，封存都对得上。")
