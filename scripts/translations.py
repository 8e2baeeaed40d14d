"""Keep the English catalogue: collect the messages, merge them, compile.

    python scripts/translations.py            collect, merge into messages.po, compile messages.mo
    python scripts/translations.py --check    only says what is missing or out of date

Message ids are the Chinese wording in the sources. The catalogue carries no dates and no places, so that it changes
only when wording does; messages stand in the order in which the sources, sorted by path, first use them. A message
whose Chinese wording changed comes back untranslated, and a test fails until somebody has written its English.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
MAPPING = ROOT / "babel.cfg"
PO = ROOT / "consult" / "translations" / "en" / "LC_MESSAGES" / "messages.po"
MO = PO.with_suffix(".mo")
LOCALE = "en"

KEYWORDS = DEFAULT_KEYWORDS | {"_l": None, "plural": (1, 2)}
"""Names that mark a message besides gettext's own: lazy tables, and consult.i18n.plural(one, many, n)."""

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}|<[^<>]+>")
"""What has to stand on both sides: parameters, blanks that scripts fill, tags."""

HEADER = (
    "# English wording of the public site and the staff desk. Written by scripts/translations.py; edit msgstr only."
)


_FIELDS = [
    ("Language", LOCALE),
    ("MIME-Version", "1.0"),
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Transfer-Encoding", "8bit"),
    ("Plural-Forms", "nplurals=2; plural=(n != 1);"),
]


class _Plain(Catalog):
    """A catalogue whose header names neither a day nor a person nor a version."""

    mime_headers = property(lambda _self: _FIELDS, lambda _self, _value: None)


def extracted() -> Catalog:
    """Return every message of the sources, without translations."""
    catalog = Catalog(charset="utf-8", header_comment=HEADER)
    with MAPPING.open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    found = extract_from_dir(str(ROOT), methods, options, keywords=KEYWORDS, strip_comment_tags=True)
    for _file, _line, message, _comments, context in sorted(found, key=lambda one: (one[0], one[1])):
        if message and message != ("", ""):
            catalog.add(message, context=context)
    return catalog


def read(path: Path = PO) -> Catalog:
    """Return the catalogue as it is kept; an empty one when there is none."""
    if not path.exists():
        return Catalog(locale=LOCALE, charset="utf-8", header_comment=HEADER)
    with path.open("rb") as file:
        return read_po(file, locale=LOCALE)


def merged(template: Catalog, kept: Catalog) -> Catalog:
    """Return the template's messages with the translations kept for them."""
    made = Catalog(locale=LOCALE, charset="utf-8", header_comment=HEADER, fuzzy=False)
    for message in messages(template):
        old = kept.get(_one(message), message.context)
        usable = old is not None and old.pluralizable == message.pluralizable
        made.add(message.id, old.string if old and usable else "", context=message.context)
    return made


def messages(catalog: Catalog) -> Iterator[Message]:
    """Yield the messages without the header."""
    return (message for message in catalog if message.id)


def _one(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def key(message: Message) -> tuple[str, ...]:
    """Return what tells a message from the others: its context and its wording."""
    return (message.context or "", *([message.id] if isinstance(message.id, str) else message.id))


def strings(message: Message) -> tuple[str, ...]:
    """Return the translations of a message: one, or one per plural form."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def flaws(catalog: Catalog) -> list[str]:
    """Return what is untranslated or lacks a placeholder."""
    found = []
    for message in messages(catalog):
        name = " | ".join(key(message)).strip(" |")
        if not strings(message) or not all(strings(message)):
            found.append(f"untranslated: {name}")
        else:
            found += [f"placeholders differ: {name}" for text in strings(message) if _blanks(text) != _blanks(name)]
    return found


def _blanks(text: str) -> list[str]:
    return sorted(set(PLACEHOLDER.findall(text)))


def po_bytes(catalog: Catalog) -> bytes:
    """Return the catalogue as text: no dates, no places, a header that never changes."""
    out = io.BytesIO()
    write_po(out, catalog, width=120, no_location=True, omit_header=True, ignore_obsolete=True)
    lines = "".join(f'"{name}: {value}\\n"\n' for name, value in _FIELDS)
    return f'{HEADER}\nmsgid ""\nmsgstr ""\n{lines}\n'.encode() + out.getvalue().lstrip(b"\n")


def mo_bytes(catalog: Catalog) -> bytes:
    """Return the compiled catalogue; what is untranslated is left out."""
    out = io.BytesIO()
    made = _Plain(locale=LOCALE, charset="utf-8", fuzzy=False)
    for message in messages(catalog):
        made.add(message.id, message.string, context=message.context)
    write_mo(out, made)
    return out.getvalue()


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, fail when something is missing")
    check = parser.parse_args().check
    catalog = merged(extracted(), read())
    for path, data in ((PO, po_bytes(catalog)), (MO, mo_bytes(catalog))):
        if check:
            if not path.exists() or path.read_bytes() != data:
                print(f"out of date: {path.relative_to(ROOT)}")
                return 1
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    found = flaws(catalog)
    for line in found:
        print(line)
    print(f"{sum(1 for _ in messages(catalog))} messages, {len(found)} to look at")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
