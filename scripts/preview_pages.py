"""Render every page template with sample data, to look at the pages without the application.

    python scripts/preview_pages.py OUT              writes OUT/<page>.html and OUT/static
    python scripts/preview_pages.py OUT --serve 8123 and serves it under the product's content security policy
    ... --size xlarge --contrast high                in a reading mode

The samples follow docs/page_contexts.md; tests/unit/test_templates_static.py renders the same ones strictly.
Figures, dates and comments are invented.
"""

from __future__ import annotations

import argparse
import http.server
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace as S
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from preview_samples import (
    BRIEF,
    BRIEF2,
    COUNTS,
    EMPTY,
    FIGURE,
    HEADINGS,
    NOTICE,
    PARAGRAPHS,
    QUOTE,
    REPLY,
    ROUND,
    ROWS,
    SHARING,
    TABLE,
    V1,
    V2,
    VALUES,
    WRONG,
    Unmarked,
    address,
    block,
    count,
    form_page,
    reading,
    stages,
    tag,
    when,
)

ROOT = Path(__file__).resolve().parents[1]
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def environment(size: str = "", contrast: str = "", language: str = "zh-Hans") -> Environment:
    """Jinja as the application sets it up (autoescape, new-style gettext), strict about unknown names."""
    env = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
    )
    env.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    env.globals.update(
        asset=lambda path: f"/static/{path}",
        zh=lambda text: text,
        in_zh=Unmarked(),
        url_for=address,
        csrf_token=lambda: "sample-token",
        request=S(path="/", script_root=""),
        site=S(
            name="开门评",
            tagline="闵行区“十四五”规划实施中期评估",
            government="上海市闵行区人民政府",
            organiser="闵行区发展和改革委员会",
            contact_phone="021-5555 0100",
            contact_email="pinggu@example.com",
            contact_address="闵行区示例路100号区发改委（邮编200000）",
            languages=(S(code="zh-Hans", label="中文"), S(code="en", label="English")),
        ),
        prefs=S(size=size, contrast=contrast, language=language),
    )
    return env


def pages() -> dict[str, tuple[str, dict[str, Any]]]:
    """Name of the sample → (template, context). Several samples may show one template."""
    error = S(
        error_id="7f3a90",
        minutes=10,
        message="",
        kept=(S(label="意见内容", text="燃气管线迁移实在太慢了。"),),
        back_url="/",
    )
    card = S(
        slug=ROUND.slug,
        title=ROUND.title,
        state=tag("征集中", "open"),
        unit="区发改委",
        period="7月10日—8月9日",
        received="317",
        note="",
        figure=FIGURE,
    )
    soon = S(
        slug="zonghe-jiaotong",
        title="《闵行区综合交通“十四五”规划》中期评估报告",
        state=tag("即将截止", "soon"),
        unit="区交通委",
        period="6月27日—7月27日",
        received="142",
        note="",
        figure=S(caption="还有", value="3", unit="天", tone="red"),
    )
    later = S(
        slug="jiaoyu",
        title="《闵行区教育发展“十四五”规划》中期评估报告",
        state=tag("未开始", "navy"),
        unit="区教育局",
        period="8月1日—8月31日",
        received="",
        note="",
        figure=S(caption="开始", value="8月1日", unit="", tone="navy"),
    )
    closed = S(
        slug="tiyu",
        title="《闵行区体育发展“十四五”规划》中期评估报告",
        state=tag("已反馈", "plain"),
        unit="区体育局",
        period="7月18日公布结果",
        received="126",
        note="采纳和部分采纳55条",
        figure=S(caption="已答复", value="126", unit="条", tone="navy"),
    )
    home = S(
        programme=S(
            title="中期评估",
            headline_parts=("规划走到一半，", "请您来评一评。"),
            summary="闵行区“十四五”规划实施已过半程。22项主要指标、74项重点任务、74项重大项目做得怎么样，报告写得实不实，请您逐段提意见。"
            "每条意见都有编号、有承办单位、有公开答复。",
            stages=stages(
                ("部署启动", "3月—4月初　印发工作方案", "done"),
                ("调研评估", "4—5月　各单位提交专题评估报告", "done"),
                ("起草报告", "6月底前　形成初稿", "done"),
                ("意见征询", "7—8月　听取社会各方面意见", "now"),
                ("报送发布", "9—12月　审议、批准后向社会公布", "next"),
            ),
        ),
        start_slug=ROUND.slug,
        as_of=when("2023年7月24日", "2023-07-24"),
        open=(card, soon),
        other=(later, closed),
        replies=tuple(
            S(
                slug=ROUND.slug,
                ref=row.ref,
                when=row.replied,
                unit=row.unit,
                title=str(row.body.striptags()),
                outcome=row.outcome,
                excerpt=str(row.reply),
            )
            for row in ROWS[1:]
        ),
        totals=(count("收到意见", 317), count("已经答复", 204), count("采纳和部分采纳", 58)),
    )
    overview = S(
        consultation=ROUND,
        summary=(
            "报告评估2021年1月至2023年6月的实施情况，围绕22项主要指标、74项重点任务和74项重大项目。您可以对任何一段文字、任何一项指标提意见。",
        ),
        questions=(
            S(lead="进展写得实不实。", text="身边的项目，报告里说建成了、推进了，和您看到的一样吗？"),
            S(lead="问题找得准不准。", text="还有哪些堵点、难点没有写到？"),
            S(lead="下一步对不对路。", text="剩下两年半，最该先做什么？"),
        ),
        chapters=tuple(S(key=k, heading=h, level=n, count=c) for k, h, n, c, _ in HEADINGS if n < 3),
        documents=(S(label="征求意见稿（第二稿）", url="#", detail="docx，1.8 MB"),),
        facts=(
            S(label="征集时间", value="7月10日—8月9日24:00"),
            S(label="牵头单位", value="区发改委"),
            S(label="已收到", value="317 条"),
            S(label="已答复", value="204 条"),
        ),
        figure=FIGURE,
        received=317,
        counts=COUNTS,
        version=V2,
        shortening_reason="",
    )
    section = S(key="yuanyin", heading="3. 未达节点进度指标的原因分析", level=3, count=27, blocks=PARAGRAPHS)
    section_page = reading(
        section=S(
            key=section.key,
            heading=section.heading,
            level=3,
            count=27,
            blocks=(*PARAGRAPHS[:2], TABLE, *PARAGRAPHS[2:]),
        ),
        path=("一、进展情况", "（一）目标指标进展"),
        children=(),
        lead_unit="区发改委",
        items=(S(key="I14", title="森林覆盖率", unit="区绿化市容局"), S(key="I16", title="路网密度", unit="区交通委")),
        previous=S(key="zongti", heading="2. 主要指标进展表"),
        next=S(key="renwu", heading="（二）主要任务进展"),
        comments=(BRIEF, BRIEF2),
        public_total=63,
        shown_total=50,
    )
    draft_sections = tuple(
        S(
            key=k,
            heading=h,
            level=n,
            count=c,
            blocks=tuple(
                block(f"{k}-{p.key}", p.number, str(p.html), p.count, kind=p.kind, items=p.items) for p in PARAGRAPHS
            )
            if n > 1
            else (),
        )
        for k, h, n, c, _ in HEADINGS
    )
    receipt = S(
        consultation=ROUND,
        own=True,
        receipt_no="ZP-0318",
        query_code="K7QM-4T2R-9XWP",
        submitted=when("2023年7月24日 10:26", "2023-07-24T10:26:00+08:00"),
        section="一、进展情况（三）重大项目进展 第12段",
        masked_name="王**",
        due="转办后7个工作日内",
        back_url="/c/minhang-zhongping/draft/",
        qr_svg=Markup(
            '<svg viewBox="0 0 29 29" role="img" aria-label="查询页二维码"><path d="M4 4h7v7H4zM18 4h7v7h-7z"/></svg>'
        ),
        steps=stages(
            ("今天 已登记", "登记在册，不会丢失", "now"),
            ("7月26日前 审核", "通过后公开", "next"),
            ("一般7个工作日内 答复", "公开在“公众意见”", "next"),
        ),
    )
    status = S(
        receipt_no="ZP-0318",
        headline_parts=("意见 ZP-0318", "正在由区房管局办理"),
        lead="最迟8月14日24:00答复，还有11个工作日。答复会公开在本页，也会发邮件提醒。",
        tone="",
        timeline=(
            S(label="公开答复", when=None, note="预计8月14日前", state="next"),
            S(
                label="区房管局正在起草答复",
                when=when("7月27日 09:10", "2023-07-27T09:10:00+08:00"),
                note="会同区建管委核实管线迁移流程。",
                state="now",
            ),
            S(
                label="转区房管局主办，区建管委协办",
                when=when("7月25日 08:52", "2023-07-25T08:52:00+08:00"),
                note="按责任分解表第68项“加大既有多层住宅加装电梯工作推进力度”转办。",
                state="done",
            ),
            S(label="登记", when=when("7月24日 10:26", "2023-07-24T10:26:00+08:00"), note="", state="done"),
        ),
        text=BRIEF2.text,
        quote=QUOTE,
        section="一、进展情况（三）重大项目进展",
        section_url="#",
        masked_name="王**",
        reply=None,
        actions=(
            S(
                value="withdraw",
                label="撤回意见",
                hint="已经转办的，只清除个人信息、停止公开姓名。",
                field="",
                destructive=True,
            ),
        ),
        hidden=(("token", "x"),),
        done="",
        supplement=S(
            title="请补充内容",
            until="请在 8月1日（周二）24:00 前补充：",
            points="请写明小区名称和楼号",
            hint="未补充的，按现有内容处理，不会因此不予受理。",
        ),
        rating=True,
        scores=(("satisfied", "满意", ""), ("basically", "基本满意", ""), ("dissatisfied", "不满意", "")),
        appeal_forms=(
            S(
                kind="reply",
                field="text_appeal_reply",
                title="对答复提出异议",
                hint="8月8日 24:00 前可以提出一次。由督办人员在 5 个工作日内裁定。",
            ),
        ),
        appeals=(
            S(
                title="对不公开的决定提出异议",
                when=when("7月26日 09:10", "2023-07-26T09:10:00+08:00"),
                text="意见里没有他人信息，请公开。",
                outcome="经复核，改为公开。",
                reason="隐去门牌号后可以公开。",
            ),
        ),
        held=S(
            rows=(S(label="姓名", value="王**"), S(label="联系方式", value="138****8000")),
            full=False,
            erased=False,
            on_hold=False,
        ),
    )
    status_confirm = S(
        receipt_no=status.receipt_no,
        action="withdraw",
        title="撤回意见",
        lead="这件意见已经转办，不能整件撤回。确认后：",
        effects=("姓名、联系方式马上清除，不能恢复。", "意见内容继续办理、照常答复。"),
        button="确认撤回",
        hidden=(("token", "x"), ("expected", "anonymised")),
    )
    table = S(
        consultation=ROUND,
        rows=ROWS,
        filters={"q": "电梯", "section": "", "unit": "", "outcome": ""},
        sections=(S(value="", label="全部章节"), S(value="yuanyin", label="3. 未达节点进度指标的原因分析")),
        units=(S(value="", label="全部单位"),),
        outcomes=(S(value="", label="全部"),),
        filtered=True,
        summary="含“电梯”的意见4条，按提交时间从新到旧",
        received=317,
        public=203,
        counts=COUNTS,
        newer_url="/c/minhang-zhongping/comments/",
        older_url="/c/minhang-zhongping/comments/?after=61",
        csv_url="",
    )
    comment = S(
        consultation=ROUND,
        ref="ZP-0244",
        commenter="某企业",
        text=BRIEF2.text,
        submitted=BRIEF2.submitted,
        section="3. 未达节点进度指标的原因分析",
        section_key="yuanyin",
        quote=QUOTE,
        state=tag("已回复", "open"),
        waiting="",
        merged=3,
        reply=REPLY,
    )
    changed = Markup(
        "……全区公共交通站点500米覆盖率持续提高，<del>居民出行条件明显改善</del><ins>但浦江、马桥部分新建社区仍在覆盖范围之外</ins>。"
    )
    results = S(
        consultation=ROUND,
        title_parts=("《闵行区体育发展“十四五”规划》", "中期评估", "意见采纳情况的公告"),
        byline="闵行区体育局　2023年7月18日",
        notice=(
            "2023年6月5日至7月4日，我们就《闵行区体育发展“十四五”规划》中期评估报告征求意见，"
            "共收到意见 126 条，涉及 9 个章节。",
            "办理结果：采纳 31 条，部分采纳 24 条，不采纳 0 条，解释说明 59 条，"
            "留作参考 0 条；告知其他渠道 12 条，不予受理 0 条，提交人撤回 0 条。",
        ),
        outcomes=tuple(
            S(label=label, count=n, share=f"{n / 1.26:.1f}%", percent=n / 0.6, tone=tone)
            for label, n, tone in (
                ("采纳", 31, "open"),
                ("部分采纳", 24, "navy"),
                ("不采纳", 0, "plain"),
                ("解释说明", 59, "plain"),
                ("告知其他渠道", 12, "plain"),
            )
        ),
        received=126,
        counts=(count("公开", 114), count("告知其他渠道", 12)),
        rate="48.2%",
        sections=(
            S(heading="学校场地开放", count=34, percent=100.0),
            S(heading="健身步道与绿道", count=29, percent=85.3),
        ),
        changes=(S(place="一（二）第8段", html=changed, refs=("ZP-0026", "ZP-0041")),),
        document=S(label="下载汇总表", url="#", detail="xlsx，32 KB"),
    )
    compare = S(
        consultation=ROUND,
        versions=(V1, V2, V2),
        a=V1,
        b=V2,
        summary="共改动23段，其中14段来自公众意见。",
        compare_url="/c/minhang-zhongping/compare/",
        changes=(
            S(
                place="（二）主要任务进展 第8段",
                section_key="renwu",
                html=changed,
                kind=tag("改写", "plain"),
                reason="补充覆盖不足的地区",
                refs=("ZP-0026", "ZP-0041"),
            ),
            S(
                place="3. 未达节点进度指标的原因分析 第2段",
                section_key="yuanyin",
                html=Markup("<ins>计划到2025年打通22条。</ins>"),
                kind=tag("新增", "open"),
                reason="",
                refs=(),
            ),
        ),
    )
    plan = S(
        title="规划事项和牵头单位",
        source="来源：《闵行区“十四五”规划实施中期评估工作方案》附件1—4（闵府办发〔2023〕9号）",
        groups=(
            S(
                key="I",
                title="附件2　主要指标（22项）",
                note="",
                items=(
                    S(
                        key="I01",
                        number="1",
                        title="全区生产总值年均增长率",
                        category="预期性",
                        lead_unit="区发改委",
                        other_units="",
                        starred=False,
                        fixed=False,
                    ),
                    S(
                        key="I14",
                        number="14",
                        title="森林覆盖率",
                        category="约束性",
                        lead_unit="区绿化市容局",
                        other_units="各镇、莘庄工业区",
                        starred=True,
                        fixed=True,
                    ),
                ),
            ),
        ),
        filters=S(kind="", unit=""),
        kinds=(S(value="", label="全部附件"),),
        units=(S(value="", label="全部单位"),),
        matched=2,
    )
    item = S(
        key="T03",
        kind="重点任务",
        number="3",
        title="加快建设上海南部科创中心",
        text="加快建设上海南部科创中心，推动“零号湾”创新策源区提质",
        source_text="加快建设上海南部科创中心,推动零号湾创新策源区提质",
        category="实施创新驱动核心战略",
        lead_unit="区科委",
        lead_note="来源表没有区分主次，第一个单位为主办是本站的约定。",
        other_units=("区经委", "相关园区"),
        members=("莘庄工业区", "闵行开发区"),
        starred=True,
        raw_units="区科委、区经委、相关园区",
        notes="",
        fixes=(S(source="零号湾", repaired="“零号湾”", certainty="确定", reason="丢引号"),),
        previous=S(key="T02", title="提升创新能力"),
        next=None,
        sections=(S(slug=ROUND.slug, key="renwu", heading="（二）主要任务进展", consultation="《纲要》中期评估报告"),),
    )
    check = S(
        consultation=ROUND,
        masked_name="王**",
        captcha=S(id="4f1c"),
        captcha_answer="",
        carry=tuple((k, str(v)) for k, v in VALUES.items()),
        rows=(
            S(name="section", label="针对部分", value="3. 未达节点进度指标的原因分析", public=True, is_text=False),
            S(name="body", label="意见或建议", value=BRIEF2.text, public=True, is_text=True),
            S(name="name", label="姓名", value="王秀英", public=False, is_text=False),
            S(name="contact", label="联系方式", value="138****0000", public=False, is_text=False),
            S(name="email", label="电子邮箱", value="", public=None, is_text=False),
        ),
    )
    samples: dict[str, tuple[str, dict[str, Any]]] = {
        "home": ("public/home.html", {"page": home}),
        "overview": ("public/overview.html", {"page": overview, "sharing": SHARING}),
        "draft": ("public/draft.html", {"page": reading(intro=PARAGRAPHS[:1], sections=draft_sections)}),
        "section": ("public/section.html", {"page": section_page}),
        "comment_form": ("public/comment_form.html", {"page": form_page(), "form": EMPTY}),
        "comment_errors": ("public/comment_form.html", {"page": form_page("either"), "form": WRONG}),
        "comment_check": ("public/comment_check.html", {"page": check, "form": EMPTY}),
        "receipt": ("public/receipt.html", {"page": receipt}),
        "receipt_foreign": ("public/receipt.html", {"page": S(consultation=ROUND, own=False)}),
        "status_lookup": (
            "public/status_lookup.html",
            {"page": S(hidden=()), "form": S(values={"code": "K7QM"}, errors={"code": "编号或查询码不对，请核对。"})},
        ),
        "status": ("public/status.html", {"page": status, "form": EMPTY}),
        "status_confirm": ("public/status_confirm.html", {"page": status_confirm, "form": EMPTY}),
        "status_replied": (
            "public/status.html",
            {"page": S(**{**vars(status), "reply": REPLY, "tone": "open", "actions": ()}), "form": EMPTY},
        ),
        "table": ("public/table.html", {"page": table}),
        "table_empty": (
            "public/table.html",
            {"page": S(**{**vars(table), "rows": (), "filtered": False, "newer_url": "", "older_url": ""})},
        ),
        "comment": ("public/comment.html", {"page": comment, "sharing": SHARING}),
        "results": ("public/results.html", {"page": results}),
        "compare": ("public/compare.html", {"page": compare}),
        "plan_index": ("public/plan_index.html", {"page": plan}),
        "plan_item": ("public/plan_item.html", {"page": item}),
        "closed": (
            "public/closed.html",
            {
                "page": S(
                    consultation=ROUND,
                    state="late",
                    sentence="征集已于8月9日24:00截止，本次未能提交。您填写的内容在下面，可复制保存。",
                    kept=error.kept,
                    has_results=False,
                )
            },
        ),
        "help": ("public/help.html", {}),
        "accessibility": ("public/accessibility.html", {}),
        "privacy": ("public/privacy.html", {"page": S(notice=NOTICE)}),
        "offline": ("public/offline.html", {}),
    }
    for code in (403, 404, 409, 413, 422, 429, 500, 503):
        samples[f"error_{code}"] = (f"errors/{code}.html", {"page": error})
    return samples


def render(out: Path, size: str, contrast: str) -> None:
    """Write every sample page and a copy of the static files."""
    out.mkdir(parents=True, exist_ok=True)
    env = environment(size, contrast)
    for name, (template, context) in pages().items():
        (out / f"{name}.html").write_text(env.get_template(template).render(**context), encoding="utf-8")
    shutil.copytree(ROOT / "static", out / "static", dirs_exist_ok=True)


def serve(out: Path, port: int) -> None:
    """Serve the folder on this machine only, with the product's policy, until interrupted."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(out))

        def do_GET(self) -> None:
            if self.path.startswith("/captcha/"):
                self.path = "/static/img/seal.svg"
            super().do_GET()

        def end_headers(self) -> None:
            self.send_header("Content-Security-Policy", POLICY)
            super().end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - name of the base class
            pass

    http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--serve", type=int, metavar="PORT")
    parser.add_argument("--size", default="", choices=["", "large", "xlarge"])
    parser.add_argument("--contrast", default="", choices=["", "high"])
    options = parser.parse_args()
    render(options.out, options.size, options.contrast)
    if options.serve:
        serve(options.out, options.serve)
    return 0


if __name__ == "__main__":
    sys.exit(main())
