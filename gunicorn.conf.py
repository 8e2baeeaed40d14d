"""gunicorn: few processes, several threads; limits against slow and oversized clients; graceful stop."""

import os
from typing import Any

from gunicorn.glogging import Logger

_postgres = os.environ.get("CONSULT_DATABASE_URL", "").startswith("postgresql")

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", (os.cpu_count() or 2) if _postgres else 2))
threads = 8
preload_app = False  # no connection may cross a fork
timeout = 30
graceful_timeout = 20
keepalive = 5
max_requests = 20_000
max_requests_jitter = 2_000
limit_request_line = 4_094
limit_request_fields = 60
limit_request_field_size = 8_190
control_socket_disable = True  # 27 would otherwise open a management socket under the home folder
accesslog = None  # the application writes its own lines, without personal data
errorlog = "-"
loglevel = "warning"


def on_starting(_server: Any) -> None:
    """Give all workers one clock: with CONSULT_NOW each would otherwise start its own when it is forked."""
    from consult import clock

    clock.server_starts()


def when_ready(server):
    """Say where the site is, once it answers."""
    for host, port, *_rest in (address for address in server.cfg.address if isinstance(address, tuple)):
        print(f"网站：http://{host}:{port}/　工作人员：http://{host}:{port}/staff/sign-in", flush=True)  # noqa: T201


class JsonLogger(Logger):  # type: ignore[misc]
    """gunicorn's own lines as JSON, without what a refused request held (R-53)."""

    def setup(self, cfg: Any) -> None:
        """Set the format after gunicorn has set its own."""
        super().setup(cfg)
        from consult.logs import ServerLines  # late: the folder may only now be on the path

        for handler in self.error_log.handlers:
            handler.setFormatter(ServerLines())


logger_class = JsonLogger
