"""`consult demo` and `consult serve`: the demonstration, and the product running on this machine."""

from __future__ import annotations

import signal
import subprocess
import sys
from types import FrameType
from typing import Any

import click

from consult import cli as public
from consult.cli import Stop, running


@click.command()
def demo() -> None:
    """载入演示数据：闵行区规划、三次征集和三百条意见。第二次运行什么也不改。"""
    from alembic import command

    from consult import db
    from consult.gateways.assets import asset_root, plan_data
    from consult.gateways.draft_import import read_draft
    from consult.gateways.password_hashing import hash_password, new_password
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
    click.echo(f"载入意见 {summary.comments} 条：" + "，".join(f"{state} {n}" for state, n in summary.states))
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
