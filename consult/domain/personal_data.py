"""What must not be published as it stands: finding personal data in Chinese text, and masking it.

`find` advises, people decide (R-43). It folds the text first (full width, zero-width characters, hyphens of
every script), matches by precedence, and maps each hit back to code points of the text as it was given
(R-32). Between a Han character and a digit there is no word boundary, so every number is guarded by explicit
"no letter or digit before or after", and a number followed by a unit of measure is an amount (R-33).

Levels (R-31): strong must be dealt with one by one, suspect wants a person's confirmation, info is a note.
Sources: rules.md 3.1; GB 11643, GB 32100, ISO/IEC 7812; GA 36 for the letters of number plates.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import regex

from consult.domain.addresses import find_addresses
from consult.domain.errors import RedactionRangeInvalid
from consult.domain.identifiers import (
    has_id_card_shape,
    has_old_id_card_shape,
    is_bank_card,
    is_valid_credit_code,
    is_valid_id_card,
)


class Level(StrEnum):
    """How sure a finding is, and what it demands (R-31)."""

    STRONG = "strong"
    SUSPECT = "suspect"
    INFO = "info"


class PiiType(StrEnum):
    """Kinds of personal data; NAME and OTHER are only marked by people (R-34)."""

    ID_CARD = "id_card"
    MOBILE = "mobile"
    LANDLINE = "landline"
    BANK_CARD = "bank_card"
    EMAIL = "email"
    PLATE = "plate"
    ADDRESS = "address"
    CREDIT_CODE = "credit_code"
    QQ = "qq"
    WECHAT = "wechat"
    NAME = "name"
    OTHER = "other"


TYPE_LABELS: dict[PiiType, str] = {
    PiiType.ID_CARD: "身份证",
    PiiType.MOBILE: "手机",
    PiiType.LANDLINE: "固话",
    PiiType.BANK_CARD: "银行卡",
    PiiType.EMAIL: "邮箱",
    PiiType.PLATE: "车牌",
    PiiType.ADDRESS: "住址",
    PiiType.CREDIT_CODE: "信用代码",
    PiiType.QQ: "QQ",
    PiiType.WECHAT: "微信",
    PiiType.NAME: "姓名",
    PiiType.OTHER: "个人信息",
}
"""The word inside 「[已隐去:…]」; part of the published text, so it is not translated."""


@dataclass(frozen=True, order=True)
class Finding:
    """One hit. `start` and `end` are code points of the original text, half open; `match` is folded."""

    start: int
    end: int
    type: PiiType
    level: Level
    match: str


# -- folding ---------------------------------------------------------------------------------------

_DROPPED = frozenset("\u00ad\u034f\u061c\u180e\u20e3") | frozenset(
    chr(code)
    for first, last in ((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x2069), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF))
    for code in range(first, last + 1)
)
_HYPHENS = frozenset("\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u2500\ufe58\ufe63\uff0d")


@dataclass(frozen=True)
class Folded:
    """Folded text and, for each of its characters, the place of the original one."""

    text: str
    places: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the original half-open span of a folded, non-empty one."""
        return self.places[start], self.places[end - 1] + 1


def _fold_character(char: str) -> str:
    if char in _DROPPED:
        return ""
    if char in _HYPHENS:
        return "-"
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.digit(char))
    if category == "No":
        # ① and ² are marks of their own; folded to digits they would glue themselves to a number.
        return char
    return unicodedata.normalize("NFKC", char)


def fold(text: str) -> Folded:
    """Fold width, digits of every script, hyphens and zero-width characters, keeping the places (R-32)."""
    out: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        folded = _fold_character(char) if char > "\x7f" else char
        out.append(folded)
        places.extend([place] * len(folded))
    return Folded("".join(out), tuple(places))


# -- pieces of patterns ----------------------------------------------------------------------------

_LEFT = (
    r"(?:(?<![0-9A-Za-z])|(?<=(?<![A-Za-z])(?i:tel|phone|mobile|mob|cell|call|fax|id|no|card)))"
    r"(?<![0-9],)(?<![¥$€£])"
)
_UNITS = (
    r"元|块钱|万(?!先生|女士|小姐|老师|师傅)|亿|千(?!万别)|百(?!度)|美元|美金|欧元|港币|人民币"
    r"|平方|平米|m2|㎡|亩|公顷|公里|千米|米|厘米|毫米|吨|公斤|千克|克|斤|立方|升|千瓦|度电|kwh|kw"
    r"|人次|人(?![员民是叫名])|户|个(?!人)|台|辆|套|件|册|株|棵|座|%|‰|％"
)
_RIGHT = rf"(?![0-9A-Za-z])(?!\.[0-9]{{1,2}}(?![0-9]))(?! ?(?i:{_UNITS}))"
_SEP = r"[ .·\-]"

_MOBILE_GROUPS = ((3, 4, 4), (3, 3, 5), (4, 3, 4), (4, 4, 3), (3, 8), (7, 4), (5, 6), (3, 2, 2, 2, 2), (3, 2, 3, 3))


def _grouped_mobile() -> str:
    shapes = [rf"1{_SEP}[3-9](?:{_SEP}[0-9]){{9}}"]
    for first, *rest in _MOBILE_GROUPS:
        shapes.append(rf"1[3-9][0-9]{{{first - 2}}}" + "".join(rf"{_SEP}{{1,3}}[0-9]{{{n}}}" for n in rest))
    return "|".join(shapes)


_COUNTRY = r"(?:\(\+?86\)|(?:\+|00) ?86|86)[ \-]{0,2}"
# Groups after another group of four belong to a longer number, most often a bank card.
_MOBILE = regex.compile(
    rf"{_LEFT}(?:{_COUNTRY})?1[3-9][0-9]{{9}}{_RIGHT}"
    rf"|{_LEFT}(?<![0-9]{{4}}[ \-])(?:{_COUNTRY})?(?:{_grouped_mobile()}){_RIGHT}"
)
_MOBILE_ODD_SEPARATORS = regex.compile(
    rf"{_LEFT}1[3-9][0-9](?P<s>[ ]?[*_/|,,、~+=#:\\\n][ ]?)[0-9]{{4}}(?P=s)[0-9]{{4}}{_RIGHT}"
)

_CHINESE_DIGITS = {
    char: str(value)
    for value, chars in enumerate(
        ("零〇○洞OoＯ", "一壹幺么lIi", "二贰两贰弍", "三叁弎", "四肆", "五伍", "六陆", "七柒拐", "八捌", "九玖勾")
    )
    for char in chars
}
_SPOKEN = "".join(_CHINESE_DIGITS)
_HAN_DIGITS = "".join(char for char in _SPOKEN if not char.isascii())
_SPOKEN_RUN = regex.compile(
    rf"(?<![0-9A-Za-z{_HAN_DIGITS}])[0-9{_SPOKEN}](?:[ \-.、,]?[0-9{_SPOKEN}]){{10}}"
    rf"(?![0-9A-Za-z{_HAN_DIGITS}十百千万亿])"
)

_ID18 = regex.compile(
    rf"{_LEFT}[1-9][0-9]{{2}}{_SEP}?[0-9]{{3}}{_SEP}?[0-9]{{4}}{_SEP}?[0-9]{{2}}{_SEP}?[0-9]{{2}}{_SEP}?"
    rf"[0-9]{{3}}{_SEP}?[0-9Xx]{_RIGHT}"
)
_ID18_ANY_GROUPS = regex.compile(rf"{_LEFT}[1-9](?:{_SEP}?[0-9]){{16}}{_SEP}?[0-9Xx]{_RIGHT}")
_ID15 = regex.compile(rf"{_LEFT}[1-9][0-9]{{5}}{_SEP}?[0-9]{{6}}{_SEP}?[0-9]{{3}}{_RIGHT}")
_CREDIT = regex.compile(rf"{_LEFT}[0-9A-HJ-NPQRTUWXY]{{2}}[0-9]{{6}}[0-9A-HJ-NPQRTUWXY]{{10}}{_RIGHT}")
_BANK = regex.compile(
    rf"{_LEFT}[3-6](?:[0-9]{{15,18}}|[0-9]{{3}}(?:[ \-]{{1,2}}[0-9]{{4}}){{3}}(?:[ \-]{{1,2}}[0-9]{{1,3}})?"
    rf"|[0-9]{{5}}[ \-][0-9]{{10,13}}){_RIGHT}"
)
_BANK_WITH_WORD = regex.compile(
    r"(?:银行卡|信用卡|储蓄卡|借记卡|社保卡|工资卡|卡号|账号|帐号|账户|帐户|打款到|转账到)"
    r"(?:号码?|是|为|如下|[ :=\-(]){0,4}"
    rf"(?P<hit>[1-9][0-9]{{3}}(?:[ \-]?[0-9]{{4}}){{3}}(?:[ \-]?[0-9]{{1,3}})?){_RIGHT}"
)

_AREA_DIGITS = r"(?:10|2[0-9]|[3-9][0-9]{2})"
_AREA = rf"0{_AREA_DIGITS}"
_LOCAL = r"(?:[1-9][0-9]{6,7}|[1-9][0-9]{2,3}[ \-][0-9]{4})"
_EXTENSION = r"(?: ?(?:转|-|分机号?|(?i:ext\.?))[ :]?[0-9]{1,5})?"
_LANDLINE = regex.compile(
    rf"{_LEFT}(?:(?:\+|00)86[ \-]?\(?0?{_AREA_DIGITS}\)?|\({_AREA}\)|{_AREA})"
    rf"[ \-]{{0,2}}{_LOCAL}{_EXTENSION}{_RIGHT}"
)
_LANDLINE_WITH_WORD = regex.compile(
    r"(?:座机|固话|固定电话|电话|传真|总机|致电|来电|回电|拨打|办公室|(?i:tel|fax))"
    r"(?:号码?|是|为|可打|请打|[ :=\-(.]){0,4}"
    rf"(?P<hit>[2-8](?:[0-9]{{6,7}}|[0-9]{{2,3}}[ \-][0-9]{{4}}){_EXTENSION}){_RIGHT}"
)

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?"
_MAILBOX = r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9_](?:[A-Za-z0-9._%+\-]{0,62}[A-Za-z0-9_\-])?"
_EMAIL = regex.compile(rf"{_MAILBOX}@(?:{_LABEL}\.)+[A-Za-z]{{2,24}}(?![A-Za-z0-9])")
_AT = r"(?: ?[(\[{<【] ?(?i:at|艾特|@) ?[)\]}>】] ?| (?i:at) | ?艾特 ?| ?@ ?)"
_DOT = r"(?: ?[(\[{<【] ?(?i:dot|点|\.) ?[)\]}>】] ?| (?i:dot) | ?[.。点] ?)"
_EMAIL_DISGUISED = regex.compile(
    rf"{_MAILBOX}(?:{_AT}(?:{_LABEL}{_DOT})+[A-Za-z]{{2,24}}|#(?:{_LABEL}\.)+(?i:com|cn|net|org))(?![A-Za-z0-9])"
)

_PLATE_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_PLATE_LETTER = "A-HJ-NP-Za-hj-np-z"
_PLATE_ANY = f"{_PLATE_LETTER}0-9"
_PLATE = regex.compile(
    rf"[{_PLATE_PROVINCES}] ?[{_PLATE_LETTER}][ ·.\-•・‧⋅]{{0,2}}"
    rf"(?P<number>[{_PLATE_ANY}]{{4}}[挂学警港澳]|[A-HJKa-hjk][{_PLATE_ANY}][0-9]{{4}}|[0-9]{{5}}[A-HJKa-hjk]"
    rf"|[{_PLATE_ANY}]{{5}})(?![0-9A-Za-z])"
)
_PLATE_MINIMUM_DIGITS = 2

_QQ = regex.compile(
    r"(?:(?<![A-Za-z])(?i:QQ)|扣扣|企鹅号)(?:号码?|账号|邮箱|是|为|加|[ :=\-(]){0,4}(?P<hit>[1-9][0-9]{4,10})"
    rf"(?![0-9A-Za-z@]){_RIGHT}"
)
_WECHAT_WORD = r"(?:微信|薇信|威信|徽信|V信|v信|(?<![A-Za-z])(?i:wechat|weixin|wx|vx|v)(?=[ :=号是为]))"
_WECHAT_MARK = r"(?:号码?|账号|(?i:ID)(?![A-Za-z])|是|为|[:=])"
_WECHAT = regex.compile(
    rf"{_WECHAT_WORD}(?:(?P<mark>[ (\"“]*(?:(?:同|也|我)?{_WECHAT_MARK}[ (\"“]*)+)|[ (\-]{{0,3}}(?:加|搜)?[ :]?)"
    r"(?P<hit>[A-Za-z][A-Za-z0-9_\-]{4,19})(?![A-Za-z0-9_\-@])"
)
_WECHAT_NUMBER = regex.compile(
    rf"{_WECHAT_WORD}[ (]*(?:{_WECHAT_MARK}[ (]*)+(?P<hit>[1-9][0-9]{{4,10}})(?![0-9A-Za-z@]){_RIGHT}"
)
_WECHAT_AFTER = regex.compile(
    r"(?<![A-Za-z0-9_\-])(?P<hit>[A-Za-z](?=[A-Za-z_\-]*[0-9_\-])[A-Za-z0-9_\-]{5,19})"
    r"[ ]?\((?:微信号?|(?i:wx|vx|wechat))\)"
)


# -- detectors, one per kind -----------------------------------------------------------------------

_Hit = tuple[int, int, PiiType, Level]


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isascii() and char.isdigit())


def _group_span(found: regex.Match[str]) -> tuple[int, int]:
    name = "hit" if "hit" in found.re.groupindex else 0
    start, end = found.span(name)
    return int(start), int(end)


def _every(pattern: regex.Pattern[str], kind: PiiType, level: Level) -> Callable[[str], Iterator[_Hit]]:
    def detect(text: str) -> Iterator[_Hit]:
        for found in pattern.finditer(text):
            start, end = _group_span(found)
            yield start, end, kind, level

    return detect


def _id_cards(text: str) -> Iterator[_Hit]:
    for found in _ID18.finditer(text, overlapped=True):
        number = "".join(char for char in found.group() if char.isalnum())
        if has_id_card_shape(number):
            level = Level.STRONG if is_valid_id_card(number) else Level.SUSPECT
            yield *found.span(), PiiType.ID_CARD, level


def _odd_id_cards(text: str) -> Iterator[_Hit]:
    # With separators anywhere the shape alone says too little: the check digit must be right.
    for found in _ID18_ANY_GROUPS.finditer(text):
        if is_valid_id_card("".join(char for char in found.group() if char.isalnum())):
            yield *found.span(), PiiType.ID_CARD, Level.STRONG


def _old_id_cards(text: str) -> Iterator[_Hit]:
    for found in _ID15.finditer(text):
        if has_old_id_card_shape(_digits(found.group())):
            yield *found.span(), PiiType.ID_CARD, Level.SUSPECT


def _credit_codes(text: str) -> Iterator[_Hit]:
    for found in _CREDIT.finditer(text):
        if is_valid_credit_code(found.group()):
            # 92: a household business, whose code points to one person.
            level = Level.SUSPECT if found.group().startswith("92") else Level.INFO
            yield *found.span(), PiiType.CREDIT_CODE, level


def _bank_cards(text: str) -> Iterator[_Hit]:
    for found in _BANK.finditer(text):
        if is_bank_card(_digits(found.group())):
            yield *found.span(), PiiType.BANK_CARD, Level.STRONG


def _plates(text: str) -> Iterator[_Hit]:
    for found in _PLATE.finditer(text):
        if len(_digits(found["number"])) >= _PLATE_MINIMUM_DIGITS:
            yield *found.span(), PiiType.PLATE, Level.STRONG


def _wechat_ids(text: str) -> Iterator[_Hit]:
    for found in _WECHAT.finditer(text):
        # "微信 business" is prose, "微信 abc123" and "微信号：business" are not.
        if found["mark"] or any(char in "0123456789_-" for char in found["hit"]):
            yield *found.span("hit"), PiiType.WECHAT, Level.STRONG


def _addresses(text: str) -> Iterator[_Hit]:
    for start, end, complete in find_addresses(text):
        yield start, end, PiiType.ADDRESS, Level.STRONG if complete else Level.SUSPECT


def _spoken_mobiles(text: str) -> Iterator[_Hit]:
    for found in _SPOKEN_RUN.finditer(text):
        run = found.group()
        number = "".join(_CHINESE_DIGITS.get(char, char) for char in run if char.isalnum() or char in _SPOKEN)
        plain = len(_digits(run))
        has_han = any(char in _HAN_DIGITS for char in run)
        if number[0] == "1" and number[1] in "3456789" and (has_han or 6 <= plain < len(number)):
            yield *found.span(), PiiType.MOBILE, Level.SUSPECT


_DETECTORS: tuple[Callable[[str], Iterable[_Hit]], ...] = (
    _every(_EMAIL, PiiType.EMAIL, Level.STRONG),
    _every(_EMAIL_DISGUISED, PiiType.EMAIL, Level.SUSPECT),
    _id_cards,
    _odd_id_cards,
    _credit_codes,
    _every(_MOBILE, PiiType.MOBILE, Level.STRONG),
    _bank_cards,
    _old_id_cards,
    _every(_LANDLINE, PiiType.LANDLINE, Level.STRONG),
    _plates,
    _addresses,
    _every(_QQ, PiiType.QQ, Level.STRONG),
    _wechat_ids,
    _every(_WECHAT_NUMBER, PiiType.WECHAT, Level.STRONG),
    _every(_WECHAT_AFTER, PiiType.WECHAT, Level.STRONG),
    _spoken_mobiles,
    _every(_BANK_WITH_WORD, PiiType.BANK_CARD, Level.SUSPECT),
    _every(_LANDLINE_WITH_WORD, PiiType.LANDLINE, Level.SUSPECT),
    _every(_MOBILE_ODD_SEPARATORS, PiiType.MOBILE, Level.SUSPECT),
)
"""In order of precedence: a later detector never takes a character an earlier one has."""


def find(text: str) -> list[Finding]:
    """Return all findings in order of place; spans never overlap.

    Positions are code points of `text` as given, half open; `match` is the folded piece.
    """
    folded = fold(text)
    taken = bytearray(len(folded.text))
    found: list[Finding] = []
    for detect in _DETECTORS:
        for start, end, kind, level in detect(folded.text):
            if start == end or any(taken[start:end]):
                continue
            taken[start:end] = b"\x01" * (end - start)
            found.append(Finding(*folded.span(start, end), kind, level, folded.text[start:end]))
    return sorted(found)


def unresolved(findings: Iterable[Finding]) -> list[Finding]:
    """Return those a person must deal with before acceptance: strong and suspect (R-31)."""
    return [finding for finding in findings if finding.level is not Level.INFO]


# -- masking ---------------------------------------------------------------------------------------


@dataclass(frozen=True, order=True)
class Redaction:
    """One span to cover, in code points of the original text, half open."""

    start: int
    end: int
    type: PiiType


def placeholder(kind: PiiType) -> str:
    """Return [已隐去:类型]; it says nothing about the length of what was there (R-30)."""
    return f"[已隐去:{TYPE_LABELS[kind]}]"


def check_redactions(text: str, spans: Iterable[Redaction]) -> list[Redaction]:
    """Return the spans in order.

    Raises:
        RedactionRangeInvalid: a span is empty, outside the text, or overlaps another (R-30).
    """
    ordered = sorted(spans)
    end = 0
    for span in ordered:
        if not end <= span.start < span.end <= len(text):
            raise RedactionRangeInvalid(start=span.start, end=span.end)
        end = span.end
    return ordered


def apply_redactions(text: str, spans: Iterable[Redaction]) -> str:
    """Return the text with each span covered by its placeholder; nothing else changes (R-30).

    Raises:
        RedactionRangeInvalid: see `check_redactions`.
    """
    pieces: list[str] = []
    at = 0
    for span in check_redactions(text, spans):
        pieces += [text[at : span.start], placeholder(span.type)]
        at = span.end
    pieces.append(text[at:])
    return "".join(pieces)
