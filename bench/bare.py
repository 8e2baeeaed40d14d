"""What the product is compared with: a bare view, and a fixed page of 20 kB, both in plain Flask."""

from __future__ import annotations

from flask import Flask, render_template
from jinja2 import DictLoader

_ROWS = tuple((n, f"第{n}条：建议把沿线的公交站点和社区食堂结合起来布置，方便老人。") for n in range(1, 101))
_TEMPLATE = """<!DOCTYPE html>
<html lang="zh-Hans"><head><meta charset="utf-8"><title>{{ title }}</title></head>
<body><h1>{{ title }}</h1>
<table>
{% for number, words in rows -%}
<tr><th scope="row">{{ number }}</th>
<td class="typed"><a href="/c/gangyao/comments/{{ number }}/">{{ words }}</a></td></tr>
{% endfor -%}
</table>
<p id="end">页尾</p></body></html>
"""

app = Flask("bare")
app.jinja_loader = DictLoader({"page.html": _TEMPLATE})


@app.get("/ok")
def ok() -> str:
    return "ok"


@app.get("/page")
def page() -> str:
    return render_template("page.html", title="二十千字节的固定页面", rows=_ROWS)
