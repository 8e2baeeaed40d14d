"""Everything gunicorn and the product write during a whole journey holds nothing personal (R-53)."""

from __future__ import annotations

import json
import socket
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from consult.db import Store
from tests.support.factories import make_world
from tests.support.servers import Server
from tests.support.visitors import Visitor, all_forms, form_fields, to_port

NAME, PHONE, EMAIL = "慕容雪芹", "13700137000", "xueqin.murong@example.net"
ORGANISATION, BODY, SEARCH = "望江亭示例合作社", "请在望江亭东侧建一座风雨连廊，方便老人避雨。", "独角兽检索词"


def raw(port: int, request: bytes) -> bytes:
    """Send bytes as they are and return the beginning of the answer."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as connection:
        connection.sendall(request)
        return connection.recv(4_000)


def test_r53_no_log_line_of_the_whole_journey_holds_anything_personal(store: Store, tmp_path: Path) -> None:
    with store.writing() as session:
        make_world(session)
    typed = {"name": NAME, "contact": PHONE, "email": EMAIL, "organisation": ORGANISATION, "body": BODY}
    with Server(tmp_path, store.url, workers=2, threads=4) as server:
        visitor = Visitor(to_port(server.port))
        visitor.get("/")
        visitor.get(f"/c/gangyao/comments/?q={quote(SEARCH)}&name={quote(NAME)}&phone={PHONE}")
        visitor.get(f"/nowhere/{PHONE}/?email={EMAIL}")
        form = visitor.filled("?section=s3&block=p6", **typed)
        challenge = form["captcha_id"]
        for kind in ("png", "wav"):
            assert visitor.get(f"/captcha/{challenge}.{kind}").status == 200
        assert visitor.submit({**form, "name": "", "body": BODY * 200}).status == 422
        assert visitor.submit({**form, "body": BODY * 2_000}).status == 413
        assert visitor.submit({**form, "step": "check"}).status == 200
        assert visitor.submit({**form, "captcha_answer": "WRONG"}).status == 422
        receipt = visitor.comment(**typed)
        assert receipt.status == 303
        code = visitor.query_code(receipt.location)
        own = visitor.look_up(code)
        assert own.status == 200
        visitor.look_up("0000-0000-0000")
        token = next(one for one in all_forms(own.text) if "token" in one)
        visitor.post("/status/", {**token, "action": "withdraw"})
        sign_in = form_fields(visitor.get("/staff/sign-in").text, having="username")
        visitor.post("/staff/sign-in", {**sign_in, "username": NAME, "password": "geheim-" + PHONE})
        static = visitor.get("/static/css/base.css")
        assert "default-src 'none'" in static.headers["content-security-policy"]
        assert static.all_of("set-cookie") == []
        # what gunicorn itself refuses, with personal data where it might quote it
        for request in (
            f"GET /?phone={PHONE} {EMAIL} HTTP/1.1\r\nHost: x\r\n\r\n",
            f"{EMAIL} /?phone={PHONE} HTTP/1.1\r\nHost: x\r\n\r\n",
            f"GET / HTTP/1.1\r\nHost: x\r\n{EMAIL} {PHONE}\r\n\r\n",
            f"GET / HTTP/1.1\r\nHost: x\r\nX Bad {PHONE}: {EMAIL}\r\n\r\n",
            f"GET /?{PHONE * 500} HTTP/1.1\r\nHost: x\r\n\r\n",
            f"GET / HTTP/{PHONE}\r\nHost: x\r\n\r\n",
            f"GET / HTTP/1.1\r\nHost: x\r\nCookie: {EMAIL * 500}\r\n\r\n",
            f"POST /status/ HTTP/1.1\r\nHost: x\r\nContent-Length: {PHONE}x\r\n\r\n",
            f"POST /status/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {EMAIL}\r\n\r\n",
        ):
            answer = raw(server.port, request.encode())
            assert b"Traceback" not in answer
            assert b"200 OK" not in answer
    written = server.log.read_text("utf-8")
    secrets = {
        *(NAME, PHONE, EMAIL, ORGANISATION, BODY, SEARCH, code, code.replace("-", ""), challenge, form["csrf_token"]),
        *("望江亭", "风雨连廊", "xueqin", "geheim", quote(NAME), quote(SEARCH), quote(BODY)[:40], "?", "127.0.0.1"),
        *visitor.cookies.values(),
        receipt.location.split("/")[-2],
    }
    assert {secret: line for line in written.splitlines() for secret in secrets if secret in line} == {}
    lines = [json.loads(line) for line in written.splitlines()]
    assert len([line for line in lines if line.get("event") == "request"]) >= 15
    assert {line["route"] for line in lines if "route" in line} >= {"/c/<slug>/comment/", "/status/", "/"}
