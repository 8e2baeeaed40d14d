"""`consult`, the entry point: the commands of `consult/cli.py` and those that need staff.

Commands with `--as USER` act as that account, with its roles and scope; whoever may run them on the server is known
to the operating system. The rest acts as the system.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from consult import cli as public
from consult.cli import ExistingFile, Line, Out, Stop, read_lines, read_text, running, text_of, write_lines
from consult.domain.errors import DomainError
from moderation import running as running_commands

if TYPE_CHECKING:
    from consult.services.events import Actor
    from moderation.domain.suggestions import Suggester
    from moderation.permissions import Permission, Viewer

cli = public.cli
AS_USER = "as_user"
As = click.option("--as", AS_USER, metavar="USER", default="", help="以哪个账号的身份办理。")
# Keys of the file of `consultation create`, in the order they are explained; the first five are required.
_REQUIRED = ("title", "short_code", "owner_unit", "starts_on", "ends_on")
_TEXTS = (
    "drafting_note",
    "how_to_comment",
    "contact_unit",
    "contact_phone",
    "contact_email",
    "contact_address",
    "shortening_reason",
    "adjustment_note",
    "impact_assessment_no",
    "contact_rule",
)
_SHORT_NAMES = {
    "owner": "owner_unit",
    "start": "starts_on",
    "end": "ends_on",
    "how": "how_to_comment",
    "phone": "contact_phone",
    "email": "contact_email",
    "address": "contact_address",
}


def main() -> None:
    """Run the command line and end the process with its status."""
    sys.exit(public.run(cli, words_of))


def words_of(error: DomainError) -> Iterable[str]:
    """Return what a refusal says: consultations have their own words, the rest is said as everywhere."""
    from consult.gateways.sqlite_copy import CopyRefused
    from moderation.presenters import consultations as present

    if isinstance(error, CopyRefused) or type(error).__name__ in {"PlanRefused", "DraftRefused"}:
        return public.words_of(error)
    if error.code == "account_unknown":
        return [f"没有在用的账号 {error.params['username']}。"]
    if error.code == "not_allowed":
        return ["这个账号的岗位没有这项权限。"]
    return present.sentences(error)


# -- who acts --------------------------------------------------------------------------------------


def _viewer(session: Any, username: str, permissions: tuple[Permission, ...], slug: str, now: Any) -> Viewer:
    """Return the account, checked for one of the permissions over this consultation (R-93)."""
    from consult.domain.errors import NotAllowed
    from consult.queries import consultations
    from moderation.queries import staff_lookup

    viewer = staff_lookup.viewer_named(session, username)
    consultation_id = consultations.consultation(session, slug, now).id if slug else None
    for permission in permissions:
        reach = viewer.reach(permission)
        if reach.everything or consultation_id in reach.consultations:
            return viewer
    raise NotAllowed


def _actor(session: Any, username: str, permission: Permission, slug: str, now: Any) -> Actor:
    from consult.services import events

    if not username:
        return events.SYSTEM
    viewer = _viewer(session, username, (permission,), slug, now)
    return events.staff(viewer.staff_id, viewer.role_for(permission))


# -- consultations ---------------------------------------------------------------------------------


@public.consultation.command("create")
@click.argument("slug")
@click.option("--from", "file", type=ExistingFile, required=True, help="TOML 文件：标题、期限、起草说明等。")
@As
def consultation_create(slug: str, file: Path, as_user: str) -> None:
    """按 FILE 建立征集 SLUG，以附件5提纲为底稿。"""
    from consult import db
    from consult.services import consultations
    from moderation.permissions import Permission

    new = _new_consultation(slug, file)
    with running() as run_with, db.writing() as session:
        actor = _actor(session, as_user, Permission.EDIT_DRAFT, "", run_with.now)
        consultations.create(session, new, actor, run_with.now)
    click.echo(f"已建立征集 {slug}（编辑中）。下一步：consult draft import 文件 --consultation {slug}")


def _new_consultation(slug: str, file: Path) -> Any:
    from consult.domain.new_consultation import NewConsultation
    from consult.services.programmes import MIDTERM_SLUG

    given = _table(file)
    missing = [name for name in _REQUIRED if name not in given]
    if missing:
        raise Stop(f"{file.name} 缺少：{'、'.join(missing)}。")
    known = {*_REQUIRED, *_TEXTS, "programme", "shortened", "retention_months"}
    unknown = [name for name in given if name not in known]
    if unknown:
        raise Stop(f"{file.name} 有不认识的项：{'、'.join(unknown)}。")
    values: dict[str, Any] = {name: _text(file, given, name) for name in (*_TEXTS, "programme") if name in given}
    values |= {name: _text(file, given, name) for name in ("title", "short_code", "owner_unit")}
    values |= {name: _date(file, given, name) for name in ("starts_on", "ends_on")}
    months = given.get("retention_months", 6)
    if not isinstance(months, int) or isinstance(months, bool):
        raise Stop(f"{file.name} 的 retention_months 应是整数。")
    shortened = given.get("shortened", bool(values.get("shortening_reason", "").strip()))
    if not isinstance(shortened, bool):
        raise Stop(f"{file.name} 的 shortened 应是 true 或 false。")
    values.setdefault("programme", MIDTERM_SLUG)
    return NewConsultation(slug=slug, shortened=shortened, retention_months=months, **values)


def _table(file: Path) -> dict[str, Any]:
    try:
        given = tomllib.loads(read_text(file))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Stop(f"{file.name} 不是正确的 TOML 文件：{error}。") from error
    for name in ("period", "contact"):
        nested = given.pop(name, None)
        if isinstance(nested, dict):
            given |= {_in_table(name, key): value for key, value in nested.items()}
        elif nested is not None:
            given[name] = nested
    return {_SHORT_NAMES.get(name, name): value for name, value in given.items()}


def _in_table(table: str, key: str) -> str:
    return f"contact_{key}" if table == "contact" and not key.startswith("contact_") else key


def _text(file: Path, given: dict[str, Any], name: str) -> str:
    value = given[name]
    if not isinstance(value, str):
        raise Stop(f"{file.name} 的 {name} 应是加引号的文字。")
    return value


def _date(file: Path, given: dict[str, Any], name: str) -> date:
    value = given[name]
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            value = None
    if type(value) is not date:
        raise Stop(f"{file.name} 的 {name} 应是日期，如 2026-03-02。")
    return value


@public.consultation.command("publish")
@click.argument("slug")
@click.option("--as", AS_USER, metavar="USER", required=True, help="审签人的账号，不能是编辑人。")
@click.option("--note", default="", help="发布修改稿时的更正说明。")
def consultation_publish(slug: str, as_user: str, note: str) -> None:
    """由审签人发布征集 SLUG（或它的修改稿）。"""
    from consult import db
    from consult.queries import calendars
    from consult.services import consultations, events
    from moderation.permissions import Permission
    from moderation.queries import staff_lookup

    with running() as run_with, db.writing() as session:
        viewer = _viewer(session, as_user, (Permission.PUBLISH,), slug, run_with.now)
        signer = consultations.Signer(
            events.staff(viewer.staff_id, viewer.role_for(Permission.PUBLISH)), viewer.person_key
        )
        editors = staff_lookup.person_keys(session, consultations.editor_ids(session, slug))
        calendar = calendars.work_calendar(session)
        done = consultations.publish(session, slug, signer, editors, calendar, run_with.now, note)
    what = "征集" if done.first else f"第 {done.number} 稿"
    click.echo(f"已发布{what}：{slug}，期限 {done.starts_on} 至 {done.ends_on} 24:00。")


@public.consultation.command("extend")
@click.argument("slug")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), required=True, help="新的截止日，如 2026-04-15。")
@click.option("--reason", required=True, help="延长的原因，随公告公布。")
@click.option("--notice-no", default="", help="公告号。")
@click.option("--as", AS_USER, metavar="USER", required=True, help="审签人的账号。")
def consultation_extend(slug: str, until: Any, reason: str, notice_no: str, as_user: str) -> None:
    """延长征集 SLUG 的期限（只能变长，截止前决定）。"""
    from consult import db
    from consult.services import consultations
    from moderation.permissions import Permission

    with running() as run_with, db.writing() as session:
        actor = _actor(session, as_user, Permission.PUBLISH, slug, run_with.now)
        consultations.extend(session, slug, until.date(), reason, actor, run_with.now, notice_no)
    click.echo(f"已延长到 {until:%Y-%m-%d} 24:00。")


@public.consultation.command("collate")
@click.argument("slug")
@click.option("--as", AS_USER, metavar="USER", required=True, help="分办员的账号。")
def consultation_collate(slug: str, as_user: str) -> None:
    """把已截止的征集 SLUG 转入整理。"""
    from consult import db
    from consult.queries import consultations as read
    from consult.services import consultations
    from moderation.permissions import Permission

    with running() as run_with, db.writing() as session:
        actor = _actor(session, as_user, Permission.ASSIGN, slug, run_with.now)
        waiting = read.waiting_comments(session, read.consultation(session, slug, run_with.now).id)
        consultations.start_collating(session, slug, waiting, actor, run_with.now)
    click.echo(f"已转入整理，待办意见 {waiting} 件。")


@cli.group()
def draft() -> None:
    """评估稿。"""


@draft.command("import")
@click.argument("file", type=ExistingFile)
@click.option("--consultation", "slug", required=True, help="征集的地址。")
@click.option("--sections", type=ExistingFile, help="章节与条目、牵头单位的对照表 sections.csv。")
@click.option("--dry-run", is_flag=True, help="只预览，不写入。")
@As
def draft_import(file: Path, slug: str, sections: Path | None, dry_run: bool, as_user: str) -> None:
    """导入评估稿 FILE（.docx、.md、.html、.txt），成为待发布的一稿。"""
    import hashlib

    from consult import db
    from consult.gateways.draft_import import read_draft
    from consult.services import drafts
    from moderation.permissions import Permission

    with running() as run_with:
        with db.reading() as session:
            actor = _actor(session, as_user, Permission.EDIT_DRAFT, slug, run_with.now)
        found = read_draft(file, file.name)
        rules = None if sections is None else read_text(sections)
        if dry_run:
            with db.reading() as session:
                prepared = drafts.prepare(session, slug, found, rules)
        else:
            source = drafts.SourceFile(file.name, hashlib.sha256(file.read_bytes()).hexdigest())
            with db.writing() as session:
                prepared = drafts.import_draft(session, slug, found, source, actor, run_with.now, rules)
    _print_preview(prepared)
    if dry_run:
        click.echo("以上是预览，什么都没有写入。")
    else:
        click.echo(
            f"已导入为第 {prepared.number} 稿（待发布）：{len(prepared.sections)} 节，{prepared.block_count} 段。"
        )


def _print_preview(prepared: Any) -> None:
    from moderation.presenters import consultations as present

    click.echo(prepared.title or "（没有标题）")
    for one in present.outline(prepared):
        items = f"  [{one.items}]" if one.items else ""
        click.echo(f"{'  ' * one.level}{one.heading}  {one.blocks} 段  {one.lead}（{one.reason}）{items}")
    problems = present.warnings(prepared.warnings)
    for problem in problems:
        click.echo(f"提示 {problem.line}：{problem.text}" if problem.line else f"提示：{problem.text}")


# -- accounts --------------------------------------------------------------------------------------


@cli.group()
def user() -> None:
    """工作人员的账号。"""


@user.command("add")
@click.argument("username")
@click.option("--name", "display_name", required=True, help="姓名。")
@click.option("--person-no", required=True, help="工号；同一个人的几个账号填同一个。")
@click.option("--unit", default="", help="所属单位的代码或名称。")
@click.option("--role", "roles", multiple=True, help="角色，可多次；加 @征集地址 只限一次征集。")
@click.option("--password-stdin", is_flag=True, help="从标准输入读密码；不加则生成一个并显示一次。")
def user_add(
    username: str, display_name: str, person_no: str, unit: str, roles: tuple[str, ...], password_stdin: bool
) -> None:
    """新建账号 USERNAME。"""
    from consult import db, security
    from consult.gateways import password_hashing
    from consult.queries import units
    from moderation.domain.accounts import person_key
    from moderation.services import accounts
    from moderation.services.audit import COMMAND_LINE

    with running() as run_with:
        password, fresh = _password(password_stdin)
        key = person_key(security.derive_key(run_with.settings.index_key, "index"), person_no)
        hashed = password_hashing.hash_password(password)
        with db.writing() as session:
            new = accounts.NewAccount(
                username,
                display_name,
                key,
                hashed,
                units.find_unit(session, unit).id if unit else None,
                must_change_password=fresh,
            )
            staff_id = accounts.create(session, COMMAND_LINE, new, run_with.now)
            for role in roles:
                accounts.grant(session, COMMAND_LINE, staff_id, _grant(session, role, run_with.now), run_with.now)
    click.echo(f"已建账号 {username}。" + (f"初始密码（只显示这一次）：{password}" if fresh else ""))


def _grant(session: Any, text: str, now: Any) -> Any:
    from consult.domain.comment_states import Role
    from consult.queries import consultations
    from moderation.permissions import STAFF_ROLES, Grant

    name, _, slug = text.partition("@")
    if name not in {role.value for role in STAFF_ROLES}:
        raise Stop(f"没有角色 {name}，可用：{'、'.join(role.value for role in STAFF_ROLES)}。")
    return Grant(Role(name), consultations.consultation(session, slug, now).id if slug else None)


def _password(from_stdin: bool) -> tuple[str, bool]:
    """Return the password and whether it was made up here."""
    from consult.gateways import password_hashing
    from moderation.domain.accounts import check_password

    if not from_stdin:
        return password_hashing.new_password(), True
    password = sys.stdin.readline().rstrip("\r\n")
    check_password(password)
    return password, False


@user.command("disable")
@click.argument("username")
def user_disable(username: str) -> None:
    """停用账号 USERNAME（不删除，记录里还在）。"""
    from consult import db
    from moderation.queries import staff_lookup
    from moderation.services import accounts
    from moderation.services.audit import COMMAND_LINE

    with running() as run_with, db.writing() as session:
        viewer = staff_lookup.viewer_named(session, username)
        accounts.disable(session, COMMAND_LINE, viewer.staff_id, run_with.now)
    click.echo(f"已停用账号 {username}。")


@user.command("reset")
@click.argument("username")
@click.option("--password-stdin", is_flag=True, help="从标准输入读密码；不加则生成一个并显示一次。")
def user_reset(username: str, password_stdin: bool) -> None:
    """给账号 USERNAME 换一个密码，下次登录须修改。"""
    from consult import db
    from consult.gateways import password_hashing
    from moderation.queries import staff_lookup
    from moderation.services import accounts
    from moderation.services.audit import COMMAND_LINE

    with running() as run_with:
        password, fresh = _password(password_stdin)
        hashed = password_hashing.hash_password(password)
        with db.writing() as session:
            viewer = staff_lookup.viewer_named(session, username)
            accounts.reset_password(session, COMMAND_LINE, viewer.staff_id, hashed, run_with.now)
    click.echo(f"已重置账号 {username}。" + (f"新密码（只显示这一次）：{password}" if fresh else ""))


# -- label -----------------------------------------------------------------------------------------


@public.label.command("routing")
@click.argument("file", metavar="IN.jsonl", type=ExistingFile)
@Out
def label_routing(file: Path, out: Path) -> None:
    """建议办理单位和所涉条目。"""
    suggester = _suggester()

    def answer(number: int, row: Line) -> object:
        section = row.get("section")
        found = suggester.suggest(text_of(file, number, row), section if isinstance(section, str) else "")
        return {"units": [one.code for one in found.units], "items": [one.key for one in found.items]}

    rows = read_lines(file)
    write_lines(out, (answer(number, row) for number, row in enumerate(rows, start=1)), len(rows))


def _suggester() -> Suggester:
    """Return the suggester over the plan that comes with the program; no store is needed."""
    from consult.domain.plan_rows import UNIT_KINDS, read_plan
    from consult.domain.section_leads import read_section_rules
    from consult.gateways.assets import plan_data
    from moderation.domain.suggestions import PlanItem, PlanSection, PlanUnit, Suggester

    folder = plan_data()
    plan = read_plan(*(read_text(folder / name) for name in ("units.csv", "items.csv", "fixes.csv")))
    rules = read_section_rules(
        read_text(folder / "sections.csv"),
        {unit.code for unit in plan.units},
        {item.key for item in plan.items},
    )
    words = {english: chinese for chinese, english in UNIT_KINDS.items()}  # the suggester speaks those of the files
    return Suggester(
        [PlanItem(one.key, one.title, one.text, one.leads, one.others) for one in plan.items],
        [
            PlanUnit(one.code, one.name, one.short_name, one.aliases, words[one.kind], one.assignable)
            for one in plan.units
        ],
        [PlanSection(one.heading, one.item_keys, one.default_lead, one.units) for one in rules],
    )


# -- deadlines -------------------------------------------------------------------------------------


@cli.group()
def deadlines() -> None:
    """期限：视为签收、催办、督办、到期办结。"""


@deadlines.command("run")
def deadlines_run() -> None:
    """把到了日子的事办一遍；可以重复运行，晚运行也只发当天的催办。"""
    from moderation.presenters.supervision import step_words
    from moderation.services import deadlines as service

    with running() as run_with:
        done = service.run(run_with.store.writing, run_with.now)
    told = [f"{step_words(name)} {n} 件" for name, n in done.done.items() if n]
    click.echo("，".join(told) + "。" if told else "没有到期要办的事。")
    if done.failed:
        raise Stop(f"没有办成：{'、'.join(step_words(name) for name in done.failed)}，下次运行再办。")


# -- purge -----------------------------------------------------------------------------------------


@cli.group(invoke_without_command=True)
@click.option("--dry-run", is_flag=True, help="只报告会清除多少，什么都不改。")
@click.pass_context
def purge(context: click.Context, dry_run: bool) -> None:
    """清除保存期满的姓名、联系方式和隐去前的原文；可以中断，可以重复运行。"""
    if context.invoked_subcommand is not None:
        return
    from consult.gateways.field_cipher import FieldCipher
    from moderation.presenters.appeals import hold_words
    from moderation.services import purge as service

    with running() as run_with:
        report = service.run(
            run_with.store.reading if dry_run else run_with.store.writing,
            FieldCipher(run_with.settings.field_keys),
            run_with.settings.files_dir,
            run_with.now,
            dry_run=dry_run,
            progress=lambda n: click.echo(f"已核对 {n} 件", err=True),
        )
    kept = "，".join(f"{hold_words(reason)} {n} 件" for reason, n in report.held.items())
    verb = "应清除" if dry_run else "已清除"
    click.echo(
        f"期满的征集 {report.consultations} 次，{verb} {report.erased} 件。" + (f"暂停：{kept}。" if kept else "")
    )


@purge.command("hold")
@click.argument("receipt_no", metavar="编号")
@click.option("--reason", type=click.Choice(["litigation", "audit"]), help="litigation 复议诉讼，audit 审计留存。")
@click.option("--lift", is_flag=True, help="解除留存。")
def purge_hold(receipt_no: str, reason: str | None, lift: bool) -> None:
    """因复议诉讼或审计留存，暂停清除 编号 的个人信息，或用 --lift 解除。"""
    from consult import db
    from consult.services import events
    from moderation.services import purge as service

    if lift is (reason is not None):
        raise Stop("请给出 --reason 或 --lift 其中一项。")
    with running() as run_with, db.writing() as session:
        if reason is not None:
            service.hold(session, receipt_no, reason, events.SYSTEM, run_with.now)
        else:
            service.release(session, receipt_no, events.SYSTEM, run_with.now)
    click.echo(f"{receipt_no} 的个人信息" + ("已解除留存。" if lift else "已留存，只保存、不使用。"))


cli.add_command(running_commands.demo)
cli.add_command(running_commands.serve)
cli.add_command(running_commands.audit)
cli.add_command(running_commands.worker)
cli.add_command(running_commands.outbox)
cli.add_command(running_commands.export)


if __name__ == "__main__":
    main()
