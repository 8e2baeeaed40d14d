"""How names and contacts are shown: masked by default, the same everywhere (R-23, R-46, R-51, R-106)."""

from __future__ import annotations

import unicodedata

import regex

ANONYMOUS = "匿名"
"""Shown only where the name has been erased (R-46, R-48)."""

STARS = "**"

_SURNAME_RUN = (
    "欧阳歐陽太史端木上官司马司馬东方東方独孤獨孤南宫南宮万俟闻人夏侯诸葛諸葛尉迟公羊"
    "赫连赫連澹台皇甫宗政濮阳公冶太叔申屠公孙公孫慕容仲孙钟离长孙長孫宇文司徒鲜于司空"
    "闾丘子车亓官司寇巫马公西颛孙壤驷公良漆雕乐正宰父谷梁拓跋夹谷轩辕令狐段干百里呼延"
    "东郭南门羊舌微生梁丘左丘东门西门第五公仪纳兰完颜贺兰叶赫耶律"
)
_COMPOUND_SURNAMES = frozenset(_SURNAME_RUN[at : at + 2] for at in range(0, len(_SURNAME_RUN), 2))
# 单于 is left out on purpose: 单 alone is the commoner surname of the two readings (vector 单于夫罗 -> 单**).

_INTERPUNCTS = "·•・‧⋅∙･"
# 欧阳 alone may be 欧 + 阳; only a longer name shows that the surname has two characters.
_MINIMUM_COMPOUND = 3


def _visible(text: str) -> str:
    composed = unicodedata.normalize("NFC", text)
    return "".join(char for char in composed if unicodedata.category(char) != "Cf" and not char.isspace())


def mask_name(name: str | None) -> str:
    """Return the surname and two asterisks, whatever the length; 匿名 for an erased name (R-46).

    Compound surnames keep two characters when a given name follows; names with an interpunct and names in
    other scripts keep their first character.
    """
    text = _visible(name or "")
    if not text:
        return ANONYMOUS
    if len(text) >= _MINIMUM_COMPOUND and text[:2] in _COMPOUND_SURNAMES and text[2] not in _INTERPUNCTS:
        return text[:2] + STARS
    first = regex.match(r"\X", text)
    return (first.group() if first else text[:1]) + STARS


def public_name(name: str | None, *, consent: bool) -> str:
    """Return the full name only with consent B in force; an erased name is 匿名 (R-45 to R-47)."""
    text = (name or "").strip()
    return text if consent and _visible(text) else mask_name(text)


# -- organisations ---------------------------------------------------------------------------------

_ENTERPRISE_WORDS = regex.compile(
    r"公司|企业|集团|工厂|厂|商店|店|商行|合作社|个体|事务所|工作室|农场|银行|酒店|餐厅|饭店|超市|门市部|经营部"
)
_SOCIAL_WORDS = regex.compile(
    r"协会|学会|商会|基金会|促进会|联合会|研究会|联谊会|理事会|同业公会|志愿|社会组织|社团|社会工作|民办|慈善|公益|服务社"
)

SOME_ENTERPRISE, SOME_SOCIAL, SOME_UNIT = "某企业", "某社会组织", "某单位"


def organisation_label(name: str | None, credit_code: str | None = None) -> str:
    """Return 某企业, 某社会组织 or 某单位 (R-23), by the code's first character, else by words in the name.

    GB 32100: 9 is registered by market regulation, 5 by civil affairs, the rest by other departments.
    """
    if credit_code:
        return {"9": SOME_ENTERPRISE, "5": SOME_SOCIAL}.get(credit_code[0], SOME_UNIT)
    text = name or ""
    if _ENTERPRISE_WORDS.search(text):
        return SOME_ENTERPRISE
    return SOME_SOCIAL if _SOCIAL_WORDS.search(text) else SOME_UNIT


def public_organisation(name: str | None, *, consent: bool, credit_code: str | None = None) -> str:
    """Return the full name only with the organisation's own consent (R-23); the contact person never."""
    text = (name or "").strip()
    return text if consent and text else organisation_label(text, credit_code)


# -- contacts --------------------------------------------------------------------------------------

_MOBILE = regex.compile(r"(?:\+?86|0086)?(1[3-9][0-9]{9})")
_LANDLINE = regex.compile(r"\(?(0[0-9]{2,3})\)?[ \-]+([0-9]{7,8})(?:.*)|\((0[0-9]{2,3})\)([0-9]{7,8})(?:.*)")
_LANDLINE_RUN = regex.compile(r"(0[0-9]{3})([0-9]{6,8})")


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


def mask_mobile(number: str) -> str:
    """Return 138****8000 for a mainland mobile, however it was typed; all asterisks for anything else."""
    digits = regex.sub(r"[^0-9]", "", _folded(number))
    found = _MOBILE.fullmatch(digits)
    if not found:
        return "*" * 4
    return f"{found[1][:3]}****{found[1][-4:]}"


def mask_landline(number: str) -> str:
    """Return 021-****0100: area code and last four digits.

    Without a separator the area code cannot be told from the number and the first four digits are kept.
    """
    text = _folded(number)
    found = _LANDLINE.fullmatch(text)
    if found:
        area, local = (found[1], found[2]) if found[1] else (found[3], found[4])
        return f"{area}-****{local[-4:]}"
    run = _LANDLINE_RUN.match(regex.sub(r"[^0-9].*", "", text))
    return f"{run[1]}-****{run[2][-4:]}" if run else "*" * 4


def mask_phone(number: str | None) -> str:
    """Mask a stored contact number of either kind; a foreign one keeps its last two digits (R-51)."""
    text = _folded(number or "")
    if not text:
        return ""
    for masked in (mask_mobile(text), mask_landline(text)):
        if masked != "*" * 4:
            return masked
    digits = regex.sub(r"[^0-9]", "", text)
    return "****" + digits[-2:] if len(digits) > 6 else "*" * 4


def mask_email(address: str | None) -> str:
    """Return the first character, three asterisks and the domain; empty for none (R-51)."""
    text = _folded(address or "")
    local, at, domain = text.rpartition("@")
    if not at:
        return "***" if text else ""
    return f"{local[:1]}***@{domain}"
