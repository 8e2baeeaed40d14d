"""Finding house addresses in folded Chinese text: 示例路100弄12号301室, 示例小区3幢1单元502室.

Chinese has no word boundaries, so where a road's name begins is a judgement: the Han run before 路, 弄 or 小区
is cut after words that cannot be part of a name (住在, 位于, 的 …) and then kept short. A few characters too
many are harmless, one too few is not (R-32; rules.md 3.1).
"""

from __future__ import annotations

from collections.abc import Iterator

import regex

_HAN = r"\p{Han}"
_NUMBER = (
    r"(?:[0-9]{1,5}(?:[ ]?-[ ]?[0-9]{1,4}){0,2}[甲乙丙丁A-Za-z]?"
    r"|[A-Za-z][0-9]{0,3}|[一二三四五六七八九十百零〇两]{1,6})"
)
_DIGITS = r"(?:[0-9]{1,5}(?:[ ]?-[ ]?[0-9]{1,4})?[甲乙丙丁A-Za-z]?|[一二三四五六七八九十百零〇两]{1,6})"
_GAP = r"[ ]?"

_ROAD = r"(?:大道|大街|公路|马路|胡同|支路|路|(?<!街)道|街|巷|弄堂|里弄)"
_PLACE = (
    r"(?:新村|小区|花园|花苑|公寓|家园|家苑|社区|名苑|名邸|雅苑|景苑|佳苑|公馆|别墅|大厦|广场|宿舍|大院"
    r"|苑|邨|坊|(?<!家)庭|府|湾|城|里|园|村|墅|居)"
)
_DIRECTION = r"(?:(?:[东南西北中]|[一二三四五六七八九十])(?=[ ]?[0-9]))?"

# What follows a number. 号 is not a house number before 线, 口, 文件 … ("13号线", "3号口").
_HOUSE = r"(?:号(?!楼(?![下上道顶])|院|线|文件|令|机|码|地块|站|口|航站)|號)"
_BLOCK = r"(?:号楼(?![下上道顶])|号院|幢|栋|座|单元|门洞)"
_LANE = r"(?:支弄|弄)"
_ROOM = r"(?:室|房(?![租价产地屋贷])|户(?!籍|口|主|外|型|均))"
_FLOOR = r"(?:楼(?!下|上|道|顶|盘|宇|梯|市|房|群|体|栋)|层(?!次|面|级))"
_GROUP = r"(?:组(?!织|长|团|合|建)|队(?!伍|员|长))"
_COMPONENT = rf"(?:{_LANE}|{_BLOCK}|{_HOUSE}|{_ROOM}|{_FLOOR}|{_GROUP})"
_INNER = rf"(?:{_GAP}[,]?{_GAP}{_NUMBER}{_GAP}{_COMPONENT})"
_BARE = r"(?:[ ]?[\-]?[ ]?[0-9]{3,4}(?![0-9年月日元个人户米%‰.:-])(?![ ]?(?:平方|万|亿|多)))"
_AFTER_HOUSE = rf"(?:{_BARE}|[ ]?[甲乙丙](?=[ ]?[0-9]))"

_HEAD_LENGTH = 14
_ADDRESS = regex.compile(
    rf"(?P<head>{_HAN}{{1,{_HEAD_LENGTH}}}?(?:[ ]?))(?P<kind>(?P<road>{_ROAD})|(?P<place>{_PLACE})){_DIRECTION}"
    rf"(?:\([^()]{{1,12}}\))?{_GAP}"
    rf"(?P<first>{_DIGITS}{_GAP}(?P<unit>{_LANE}|{_BLOCK}|{_HOUSE}|室|{_GROUP}))"
    rf"(?P<inner>{_INNER}*)(?P<bare>{_AFTER_HOUSE}?)"
)
_NESTED_PLACE = regex.compile(
    rf"(?P<name>(?:{_GAP}[,]?)?{_HAN}{{1,8}}?{_PLACE})(?P<inner>{_INNER}+)(?P<bare>{_AFTER_HOUSE}?)"
)
# Blocks and rooms without any road: 12号楼301室, 3幢502室.
_ROOM_ONLY = regex.compile(
    rf"(?<![0-9A-Za-z])[0-9]{{1,4}}{_GAP}(?:{_LANE}|{_BLOCK}|{_HOUSE}){_INNER}*?"
    rf"{_GAP}[0-9]{{1,4}}{_GAP}(?:{_LANE}|{_BLOCK}|{_HOUSE}|{_FLOOR})?{_GAP}(?:[0-9]{{2,4}})?(?<=[0-9]){_GAP}{_ROOM}"
    rf"|(?<![0-9A-Za-z])[0-9]{{1,4}}{_GAP}(?:{_BLOCK}|{_LANE}){_GAP}[0-9]{{1,4}}{_GAP}(?:{_ROOM}|{_HOUSE})"
)

# The name begins after the last of these. A single 住 right at a beginning stays: it does no harm there.
_STOPS = regex.compile(
    r"家庭住址|通讯地址|联系地址|收件地址|家庭地址|户籍地址|现住址|住址|地址|地点|居住于|居住在|家住|住在|住于|我住|人住|位于|坐落于|坐落"
    r"|就在|来自|附近|对面|旁边|隔壁|门口|靠近|紧邻|沿着|经过|反映|投诉|举报|关于|建议|希望|请求|要求|比如|例如|尤其是|特别是|其中"
    r"|我们|你们|他们|我家|家里|本人|居民|业主|市民|邻居|同事|老人|[在址我你他她是就的了到请离把被让给从往向这那该为]"
)
_ADMIN = regex.compile(
    r"(?:\p{Han}{2,3}?(?:省|自治区))?(?:\p{Han}{2,3}?市)?(?:\p{Han}{2,3}?[区县])?(?:\p{Han}{2,4}?(?:街道|镇|乡))?"
)
_LONGEST_NAME = 4


def _name_start(text: str, start: int, end: int) -> int:
    """Return where the name in text[start:end] (the Han run before the kind of road) begins."""
    cut = start
    for stop in _STOPS.finditer(text, start, end):
        if stop.end() < end:
            cut = stop.end()
    while cut < end and text[cut] == " ":
        cut += 1
    admin = _ADMIN.match(text, cut, end)
    if admin and admin.end() > cut:
        return cut
    longest = end - _LONGEST_NAME
    if longest <= cut:
        return cut
    # Somewhere inside may stand 区 or 镇 with its name: keep it, the address is worth more with it.
    inside = _first_admin(text, cut, end)
    return inside if inside is not None else longest


def _first_admin(text: str, start: int, end: int) -> int | None:
    for place in range(start, end - 2):
        admin = _ADMIN.match(text, place, end)
        if admin and admin.end() > place:
            return place if admin.end() - place <= _LONGEST_NAME else max(place, admin.end() - _LONGEST_NAME)
    return None


def _is_complete(found: regex.Match[str]) -> bool:
    """Tell whether the hit leads to a door: two numbered parts after a road, or a block and a room."""
    parts = 1 + len(regex.findall(_COMPONENT, found["inner"] or "")) + bool((found["bare"] or "").strip())
    if found["unit"] == "室":
        return True
    return parts >= 2


def find_addresses(text: str) -> Iterator[tuple[int, int, bool]]:
    """Yield (start, end, complete) for each address in folded text.

    `complete` is False where it only names a house or a lane (示例路123号, 示例大道66弄), which may as well be a
    public place; a person decides.
    """
    at = 0
    while True:
        found = _ADDRESS.search(text, at)
        if found is None:
            break
        start = _name_start(text, found.start("head"), found.end("head"))
        end = found.end()
        complete = _is_complete(found)
        if start >= found.end("head") or not text[start : found.end("head")].strip():
            at = found.end("kind")
            continue
        nested = _NESTED_PLACE.match(text, end)
        if nested:
            end, complete = nested.end(), True
        yield start, end, complete
        at = end
    for found in _ROOM_ONLY.finditer(text):
        yield *found.span(), False
