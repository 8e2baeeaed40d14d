"""One tokenizer for both full-text indexes (decision 5), the query forms for each, and the highlights.

Each run of Chinese becomes its pairs of characters plus its last character; Latin words and numbers stay
whole; everything is NFKC and case-folded, Latin letters lose their accents. The index text holds only
letters, digits and blanks, so FTS5's unicode61 and PostgreSQL's simple configuration cut it alike.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import regex

_HAN = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}々〇ー"
_WORD = rf"(?:(?![{_HAN}])[\p{{L}}\p{{N}}])"
_RUN = regex.compile(rf"(?P<han>[{_HAN}]+)|(?P<word>{_WORD}+)")
_LATIN = regex.compile(r"\p{Latin}")
_SEPARATOR = rf"[^\p{{L}}\p{{N}}{_HAN}]"
_MAX_PARTS = 8
_MAX_TOKENS = 60


@dataclass(frozen=True)
class Phrase:
    """Tokens that must follow one another; with `prefix` the last one may go on."""

    tokens: tuple[str, ...]
    prefix: bool
    source: str


@dataclass(frozen=True)
class SearchQuery:
    """What a person typed: every phrase must be found. False when nothing searchable was typed."""

    phrases: tuple[Phrase, ...]

    def __bool__(self) -> bool:
        return bool(self.phrases)

    def fts5(self) -> str:
        """The MATCH expression for SQLite FTS5, empty for an empty query."""
        return " AND ".join(
            '"' + " ".join(phrase.tokens) + '"' + ("*" if phrase.prefix else "") for phrase in self.phrases
        )

    def tsquery(self) -> str:
        """The argument of PostgreSQL's `to_tsquery('simple', …)`, empty for an empty query."""
        found = []
        for phrase in self.phrases:
            words = [f"'{token}'" for token in phrase.tokens]
            if phrase.prefix:
                words[-1] += ":*"
            found.append("(" + " <-> ".join(words) + ")")
        return " & ".join(found)


@dataclass(frozen=True)
class Snippet:
    """A cut of a longer text with its highlights; `before` and `after` tell whether text was left off."""

    text: str
    spans: tuple[tuple[int, int], ...]
    before: bool
    after: bool


def index_tokens(text: str) -> str:
    """The text to store in the index: tokens with a blank between, in order."""
    return " ".join(_tokens(_normalised(text)[0]))


@lru_cache(maxsize=64)
def query_terms(query: str) -> SearchQuery:
    """The query in the tokens of the index.

    Blanks divide it into phrases that must all be found; two or more characters of Chinese are a phrase of
    pairs, a single one finds every word with it. More than eight phrases or sixty tokens are cut off.
    """
    phrases = []
    for part in query.split()[:_MAX_PARTS]:
        folded = _normalised(part)[0]
        tokens = _tokens(folded)
        if not tokens:
            continue
        last = list(_RUN.finditer(folded))[-1]
        single = last["han"] is not None and len(last["han"]) == 1
        if last["han"] is not None and not single:
            tokens.pop()  # the lone last character is in the index only where a run ends
        phrases.append(Phrase(tuple(tokens[:_MAX_TOKENS]), single and len(tokens) <= _MAX_TOKENS, folded))
    return SearchQuery(tuple(phrases))


def highlight(text: str, query: str) -> tuple[tuple[int, int], ...]:
    """Half-open spans of `text` that the query found: code points after NFC, in order, never overlapping."""
    folded, positions = _normalised(text)
    spans = [
        (positions[match.start()], positions[match.end() - 1] + 1)
        for phrase in query_terms(query).phrases
        for match in regex.finditer(_pattern(phrase.source), folded, overlapped=True)
    ]
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def snippet(text: str, query: str, length: int = 80) -> Snippet:
    """About `length` code points around the first highlight, cut after punctuation where that is near."""
    composed = unicodedata.normalize("NFC", text)
    spans = highlight(composed, query)
    first = spans[0][0] if spans else 0
    start = max(0, min(first - length // 4, len(composed) - length))
    for at in range(start, max(start, min(first, start + length // 4))):
        if at and composed[at - 1] in "，。；！？、\n":
            start = at
            break
    end = min(len(composed), start + length)
    inside = tuple((max(a, start) - start, min(b, end) - start) for a, b in spans if a < end and start < b)
    return Snippet(composed[start:end], inside, start > 0, end < len(composed))


def _normalised(text: str) -> tuple[str, list[int]]:
    """Folded text and, for each of its characters, the code point of the NFC text it came from."""
    folded: list[str] = []
    positions: list[int] = []
    for at, char in enumerate(unicodedata.normalize("NFC", text)):
        plain = _folded(char)
        folded.append(plain)
        if len(plain) == 1:
            positions.append(at)
        else:
            positions.extend([at] * len(plain))
    return "".join(folded), positions


@lru_cache(maxsize=8192)
def _folded(char: str) -> str:
    """What one character is in the index: nothing, itself, or several."""
    plain = unicodedata.normalize("NFKC", char).casefold()
    if plain and plain[0] > "\x7f" and _LATIN.match(plain):
        plain = unicodedata.normalize("NFKD", plain)
    # A mark after a letter, a soft hyphen or a zero-width space must not cut a word in two.
    return "".join(part for part in plain if not unicodedata.category(part).startswith(("M", "Cf")))


def _tokens(folded: str) -> list[str]:
    found = []
    for run in _RUN.finditer(folded):
        if run["word"] is not None:
            found.append(run["word"])
            continue
        han = run["han"]
        found.extend(han[at : at + 2] for at in range(len(han) - 1))
        found.append(han[-1])
    return found


def _pattern(folded: str) -> str:
    """A regular expression that finds in folded text exactly what the phrase finds in the index."""
    runs = list(_RUN.finditer(folded))
    found = ""
    for number, run in enumerate(runs):
        if number:
            same_kind = (run["han"] is None) == (runs[number - 1]["han"] is None)
            found += _SEPARATOR + ("+" if same_kind else "*")
        if run["word"] is not None:
            # NFKC gives letters that case-fold again; folded text holds only folded ones.
            found += rf"(?<!{_WORD}){regex.escape(run['word'])}(?!{_WORD})"
        else:
            found += regex.escape(run["han"])
            if number < len(runs) - 1:
                found += rf"(?![{_HAN}])"
    return found
