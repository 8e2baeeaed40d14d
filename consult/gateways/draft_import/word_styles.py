"""Paragraph styles of a Word file: heading level, kind of block, number list. Runs in the child process."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from consult.domain.outline_model import BlockKind

_HEADING = re.compile(r"(?:heading|标题)\s*([1-9])$")
_LONGEST_CHAIN = 20


def local(element: Any) -> str:
    """Name of an element without its namespace, "" for comments and instructions."""
    tag = element.tag
    return tag.rsplit("}", 1)[-1] if isinstance(tag, str) else ""


@dataclass(frozen=True, slots=True)
class ParagraphStyle:
    """What a style says: `level` 1 to 9 for a heading, 0 for the title, None for text; `kind` toc, quote …"""

    style_id: str = ""
    level: int | None = None
    kind: str = "paragraph"

    @property
    def block_kind(self) -> BlockKind:
        """The kind of block a paragraph of this style becomes."""
        kinds: dict[str, BlockKind] = {"quote": "quote", "note": "note"}
        return kinds.get(self.kind, "paragraph")


class Styles:
    """The style sheet, with inheritance."""

    def __init__(self, root: Any | None, namespace: str) -> None:
        self._ns = namespace
        self._styles: dict[str, Any] = {}
        self._default = ""
        self._cache: dict[str, ParagraphStyle] = {}
        for style in root if root is not None else ():
            if local(style) != "style" or self._get(style, "type") not in ("paragraph", ""):
                continue
            identifier = self._get(style, "styleId")
            self._styles[identifier] = style
            if self._get(style, "default") in ("1", "true"):
                self._default = identifier

    def _get(self, element: Any | None, name: str = "val") -> str:
        return "" if element is None else str(element.get(f"{{{self._ns}}}{name}") or "")

    def _find(self, element: Any | None, *path: str) -> Any | None:
        for name in path:
            if element is None:
                return None
            element = element.find(f"{{{self._ns}}}{name}")
        return element

    def of(self, paragraph: Any) -> ParagraphStyle:
        """Style of a paragraph; an outline level set on the paragraph itself wins."""
        properties = self._find(paragraph, "pPr")
        style = self._resolved(self._get(self._find(properties, "pStyle")) or self._default)
        direct = self._get(self._find(properties, "outlineLvl"))
        if direct.isascii() and direct.isdigit() and style.kind == "paragraph":
            level = int(direct) + 1
            return ParagraphStyle(style.style_id, level if level <= 9 else None, style.kind)
        return style

    def _chain(self, identifier: str) -> list[Any]:
        chain: list[Any] = []
        while identifier in self._styles and len(chain) < _LONGEST_CHAIN:
            style = self._styles[identifier]
            chain.append(style)
            identifier = self._get(self._find(style, "basedOn"))
        return chain

    def _resolved(self, identifier: str) -> ParagraphStyle:
        if identifier not in self._cache:
            self._cache[identifier] = self._resolve(identifier)
        return self._cache[identifier]

    def _resolve(self, identifier: str) -> ParagraphStyle:
        for style in self._chain(identifier):
            name = self._get(self._find(style, "name")).strip().lower()
            if name in ("title", "标题"):
                return ParagraphStyle(identifier, 0)
            if name.startswith(("toc", "目录")):
                return ParagraphStyle(identifier, None, "toc")
            if "quote" in name or "引用" in name:
                return ParagraphStyle(identifier, None, "quote")
            if name in ("caption", "题注"):
                return ParagraphStyle(identifier, None, "note")
            found = _HEADING.match(name)
            if found is not None:
                return ParagraphStyle(identifier, int(found.group(1)))
            outline = self._get(self._find(style, "pPr", "outlineLvl"))
            if outline.isascii() and outline.isdigit() and int(outline) < 9:
                return ParagraphStyle(identifier, int(outline) + 1)
        return ParagraphStyle(identifier)

    def numbering_of(self, paragraph: Any) -> tuple[str, int | None]:
        """List and level of a paragraph, from itself or its style; ("", None) without a list."""
        properties = self._find(paragraph, "pPr")
        own = self._find(properties, "numPr")
        identifier = self._get(self._find(properties, "pStyle")) or self._default
        number, level = self._numbers(own)
        for style in self._chain(identifier):
            if number and level is not None:
                break
            styled_number, styled_level = self._numbers(self._find(style, "pPr", "numPr"))
            number = number or styled_number
            level = level if level is not None else styled_level
        return number, level if level is not None or own is None else 0

    def _numbers(self, element: Any | None) -> tuple[str, int | None]:
        level = self._get(self._find(element, "ilvl"))
        number = self._get(self._find(element, "numId"))
        return number, int(level) if level.isascii() and level.isdigit() and len(level) < 3 else None
