"""Sample contexts of the page templates, as docs/page_contexts.md describes them. Figures and comments are invented."""

from __future__ import annotations

from types import SimpleNamespace as S
from typing import Any

from markupsafe import Markup

ADDRESSES = {
    "pages.home": "/",
    "pages.preferences": "/preferences",
    "pages.help": "/help/",
    "pages.accessibility": "/accessibility/",
    "pages.privacy": "/privacy/",
    "pages.offline": "/offline/",
    "consultations.overview": "/c/{slug}/",
    "sections.draft": "/c/{slug}/draft/",
    "sections.section": "/c/{slug}/draft/{section}/",
    "sections.compare": "/c/{slug}/compare/{a}/{b}/",
    "plan.index": "/plan/",
    "plan.item": "/plan/{key}/",
    "comments.form": "/c/{slug}/comment/",
    "receipts.show": "/c/{slug}/receipt/{handle}/",
    "table.index": "/c/{slug}/comments/",
    "table.comment": "/c/{slug}/comments/{ref}/",
    "feeds.feed": "/c/{slug}/feed.atom",
    "results.show": "/c/{slug}/results/",
    "captcha.image": "/captcha/{id}.png",
    "captcha.sound": "/captcha/{id}.wav",
    "captcha.renew": "/captcha/",
    "status.lookup": "/status/",
    "sign_in.sign_in": "/staff/sign-in",
    "sign_in.sign_out": "/staff/sign-out",
}


def address(endpoint: str, **values: object) -> str:
    """The contract's address of an endpoint; KeyError for an endpoint the contract does not know."""
    return ADDRESSES[endpoint].format(**values)


class Unmarked:
    """The language of what stays Chinese, as pages in Chinese mark it: not at all."""

    def __html__(self) -> str:
        return ""

    def __call__(self, _text: str) -> str:
        return ""


def when(text: str, iso: str) -> S:
    return S(text=text, iso=iso)


def tag(label: str, tone: str) -> S:
    return S(label=label, tone=tone)


def count(label: str, value: object, of_which: bool = False) -> S:
    return S(label=label, value=str(value), unit="条", of_which=of_which)


ROUND = S(
    slug="minhang-zhongping",
    title="闵行区“十四五”规划《纲要》实施中期评估报告（征求意见稿）",
    title_parts=("闵行区“十四五”规划", "《纲要》", "实施中期评估报告", "（征求意见稿）"),
    short_title="《纲要》中期评估报告",
    unit="区发改委",
    state=tag("征集中", "open"),
    is_open=True,
    deadline="还有16天，8月9日24:00截止",
    deadline_tone="open",
    has_draft=True,
    has_results=True,
)
V1 = S(number=1, label="第一稿", published=when("2023年7月10日", "2023-07-10"), note="", is_current=False)
V2 = S(number=2, label="第二稿", published=when("2023年7月20日", "2023-07-20"), note="吸收意见41条", is_current=True)
COUNTS = (
    count("公开", 203),
    count("等待审核", 86),
    count("不公开但照常办理", 9),
    count("告知其他渠道", 11),
    count("不予受理", 5),
    count("撤回", 3),
    count("合并办理", 24, True),
)
FIGURE = S(caption="还有", value="16", unit="天", tone="navy")

BRIEF = S(
    ref="ZP-0155",
    commenter="陈**",
    text="一楼邻居有顾虑，居委会出面协调的办法应该写进报告。\n建议写明谁牵头、多久答复。",
    submitted=when("2023-07-15", "2023-07-15T10:20:00+08:00"),
    state=tag("部分采纳", "navy"),
    unit="区房管局",
    reply="协商机制写入“下一步工作举措”；具体调解流程由各街镇制定后公开。",
)
BRIEF2 = S(
    ref="ZP-0318",
    commenter="某企业",
    text="加装电梯的燃气管线迁移等了9个月，建议燃气、供水、电力的申请合成一张表，由街道统一报。",
    submitted=when("2023-07-24", "2023-07-24T10:26:00+08:00"),
    state=tag("办理中", "soon"),
    unit="区房管局",
    reply="",
)


def block(key: str, number: int, text: str, total: int = 0, comments: tuple[S, ...] = (), **more: Any) -> S:
    values = {
        "key": key,
        "kind": "paragraph",
        "number": number,
        "html": Markup(text),
        "items": (),
        "ordered": False,
        "table": None,
        "count": total,
        "comments": comments,
        "fixes": (),
    }
    return S(**{**values, **more})


INDICATORS = """1|全区生产总值年均增长率|%|预期性|6.1|5以上|4.2|滞后
5|社会消费品零售总额|亿元|预期性|2048.6|2600以上|2105.7|滞后
7|“4+4”特色产业集群营业收入占全区四上企业营业收入比重|%|预期性|47.1|52|50.3|快于时序
10|单位生产总值能耗降低率|%|约束性|—|完成市政府下达目标|完成年度下达目标|符合时序
12|大气常规污染物年均浓度（PM2.5、PM10、SO2、NO2、O3、CO）|/|约束性|6项达标|全面稳定达到国家二级标准|6项达标|已达目标
13|主要河湖水质断面优于Ⅲ类（含Ⅲ类）比例|%|约束性|50.0|60以上|62.5|已达目标
14|森林覆盖率|%|约束性|18.2|19.8|18.7|滞后（加力推进）
16|路网密度|公里/平方公里|约束性|3.62|4.0|3.72|滞后"""

TABLE = block(
    "t1",
    0,
    "",
    kind="table",
    table=S(
        caption="主要指标进展（演示数据）",
        header=("序号", "指标名称", "单位", "属性", "2020年基期", "2025年目标", "2022年实际", "进度"),
        rows=tuple(
            S(key=f"t1r{n}", cells=tuple(line.split("|")), count=n % 4)
            for n, line in enumerate(INDICATORS.splitlines(), 1)
        ),
        label_column=1,
        numeric=(0,),
    ),
)
PARAGRAPHS = (
    block(
        "p006",
        1,
        "全区生产总值年均增长率和社会消费品零售总额两项指标低于时序进度，主要原因是2022年上半年生产经营和线下消费一度中断，"
        "汽车零部件、电子信息等行业供应链恢复较慢，商圈客流到年底仍只恢复到2020年的八成五左右。区经委、区发改委按高、中、低"
        "三种情形测算，预计2023年下半年逐步回到正常增长区间。",
        6,
        (BRIEF, BRIEF2),
    ),
    block(
        "p007",
        2,
        "森林覆盖率较2020年提高0.5个百分点，距离目标仍差1.1个百分点，主要受制于可造林地块碎片化、腾地进度慢和养护经费标准偏低。"
        "区绿化市容局正会同各镇排摸拆违腾退地块，优先安排高架两侧、厂区外围和生态廊道造林。",
    ),
    block("p008", 3, "区交通委已梳理断头路清单36条。", 12, (BRIEF2, BRIEF)),
    block(
        "p009",
        4,
        "计划到2025年打通22条，其余14条逐条明确启动条件并于年底前公布清单。",
        1,
        (BRIEF,),
        fixes=(
            S(
                source="闵府办发〔20239",
                repaired="闵府办发〔2023〕9号",
                certainty="确定",
                reason="丢“〕”“号”；年份固定4位",
            ),
        ),
    ),
    block("p010", 5, "", kind="list", items=(Markup("春申路贯通"), Markup("联农路改建，与梅陇新选址同步")), count=2),
)
HEADINGS = (
    ("jinzhan", "一、进展情况", 1, 186, True),
    ("zhibiao", "（一）目标指标进展", 2, 52, True),
    ("zongti", "1. 总体判断", 3, 12, True),
    ("yuanyin", "3. 未达节点进度指标的原因分析", 3, 27, True),
    ("renwu", "（二）主要任务进展", 2, 71, True),
    ("qushi", "二、趋势和问题分析", 1, 61, True),
    ("huanjing", "（一）环境趋势分析", 2, 12, False),
    ("silu", "三、思路举措", 1, 58, True),
    ("tiaozheng", "四、调整方案", 1, 0, True),
)


def toc(current: str) -> tuple[S, ...]:
    return tuple(
        S(key=k, heading=h, level=n, count=c, near=near, current=k == current) for k, h, n, c, near in HEADINGS
    )


def stages(*rows: tuple[str, str, str]) -> tuple[S, ...]:
    return tuple(S(label=label, note=note, state=state) for label, note, state in rows)


NOTICE = S(
    controller="闵行区发展和改革委员会",
    phone="021-5555 0100",
    email="pinggu@example.com",
    address="闵行区示例路100号",
    recipients="区经委、区科委、区财政局、区交通委、区房管局、区水务局、区绿化市容局、各街镇（莘庄工业区）",
    months=6,
    version="2023-1",
    since="2023年7月1日",
)
NEXT = stages(
    ("立刻拿到查询码", "可以打印", "next"),
    ("2个工作日内审核", "最迟7月26日（周三）24:00", "next"),
    ("转有关单位办理", "进度页会写明是哪个单位", "next"),
    ("一般7个工作日内答复", "公开在“公众意见”", "next"),
)
QUOTE = S(
    text="推进既有多层住宅加装电梯工作，上半年新增开工台数继续增长，但管线迁移协调周期偏长的问题仍较突出。",
    place="一、进展情况（三）重大项目进展 第12段",
    url="/c/minhang-zhongping/draft/yuanyin/#b-p006",
)
VALUES: dict[str, str | bool] = {
    "section": "yuanyin",
    "block": "p006",
    "body": "燃气管线迁移实在太慢了",
    "submitter_kind": "individual",
    "contact": "1380000",
    "email": "resident@example.com",
}
EMPTY = S(values={}, errors={})
WRONG = S(
    values=VALUES,
    errors={
        "body": "意见至少 10 个字，现在 9 个字。",
        "name": "请填写姓名。",
        "contact": "请填写 11 位手机号，或“区号-号码”，如 021-XXXXXXXX。",
        "age_statement": "请选择是否已满 14 周岁。",
        "consent_process": "请勾选同意后提交；不同意则无法在线提交，可书面寄送至闵行区示例路100号。",
        "captcha_answer": "验证码不对，已换新的，您填写的内容都还在。",
    },
)
REPLY = S(
    unit="区房管局",
    co_units="区建管委",
    outcome=tag("部分采纳", "navy"),
    text="您提出的“一张表统一报”建议，我们部分采纳。\n燃气、供水、电力三家单位的迁移申请，9月底前由街道加装电梯服务窗口统一受理、同步转送。",
    location="三、思路举措（二）下一步工作举措，第二稿",
    when=when("2023年8月2日", "2023-08-02"),
    corrections=("本答复于 2023年8月4日 更正：补充受理窗口的时间。",),
)


def form_page(contact_rule: str = "both") -> S:
    return S(
        consultation=ROUND,
        notice=NOTICE,
        captcha=S(id="4f1c"),
        sections=(
            S(value="", label="整体"),
            S(value="jinzhan", label="一、进展情况"),
            S(value="yuanyin", label="一、进展情况 › （一）目标指标进展 › 3. 未达节点进度指标的原因分析"),
        ),
        quote=QUOTE,
        contact_rule=contact_rule,
        show_confirm_credit_code=False,
        body_min=10,
        body_max=2000,
        steps=NEXT,
        similar=S(count=18, url="/c/minhang-zhongping/comments/?section=yuanyin"),
        hidden=(("form_id", "8a7d"),),
        honeypot="homepage",
    )


ROWS = tuple(
    S(
        ref=ref,
        commenter=who,
        body=Markup(body),
        reply=Markup(reply),
        submitted=when(day, day),
        unit=unit,
        replied=when(replied, replied) if replied else None,
        outcome=tag(label, tone),
        section=section,
        section_key="yuanyin" if section != "整体" else "",
        merged=merged,
    )
    for ref, who, body, reply, day, unit, replied, label, tone, section, merged in (
        (
            "ZP-0318",
            "王**",
            "加装<mark>电梯</mark>的燃气管线迁移等了9个月。建议燃气、供水、电力的申请合成一张表，由街道统一报。",
            "正在由区房管局办理，最迟 8月14日 答复。",
            "2023-07-24",
            "区房管局",
            "",
            "办理中",
            "soon",
            "3. 未达节点进度指标的原因分析",
            0,
        ),
        (
            "ZP-0244",
            "某企业",
            "<mark>电梯</mark>装好后的维保责任要写清楚，建议推荐统一的维保合同文本。",
            "采纳。第27段增加“推荐使用加装电梯维护保养示范合同”。",
            "2023-07-19",
            "区房管局",
            "2023-07-28",
            "采纳",
            "open",
            "（二）下一步工作举措",
            3,
        ),
        (
            "ZP-0155",
            "陈**",
            "一楼邻居有顾虑，居委会出面协调的办法应该写进报告。",
            "部分采纳。协商机制写入“下一步工作举措”；具体调解流程由各街镇制定后公开。",
            "2023-07-15",
            "区房管局",
            "2023-07-25",
            "部分采纳",
            "navy",
            "（三）重大项目进展",
            0,
        ),
        (
            "ZP-0061",
            "欧阳**",
            "地铁站直达<mark>电梯</mark>离公交站太远，推轮椅要绕一大圈。",
            "站外电梯位置受既有管线限制，本轮不具备移位条件；年底前先补齐沿途坡道和指引牌。",
            "2023-07-11",
            "区交通委",
            "2023-07-20",
            "解释说明",
            "plain",
            "整体",
            0,
        ),
    )
)


def reading(**more: Any) -> S:
    values = {
        "consultation": ROUND,
        "version": V2,
        "versions": (V1, V2),
        "compare": S(a=1, b=2),
        "byline": "（征求意见稿 · 第二稿）　闵行区发展和改革委员会　2023年7月",
        "toc": toc("yuanyin"),
    }
    return S(**{**values, **more})


SHARING = {
    "title": "闵行区“十四五”规划《纲要》实施中期评估报告（征求意见稿）",
    "description": "规划走到一半，请您来评一评。",
    "url": "https://kaimen.example.org/c/gangyao/",
}
"""What a page says to those who link to it."""
