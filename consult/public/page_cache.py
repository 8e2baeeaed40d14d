"""Finished public pages kept in memory for as long as nothing at all is committed to the store.

A kept page is given out only when the store's stamp is the one it was drawn under (`Store.stamp`), so a withheld or
hidden comment is gone with the commit that hides it (R-27, R-40), in every process. Pages tell days, not minutes:
they are kept for the Beijing day they were drawn on. What a visitor chose to see belongs to the key.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock
from typing import ParamSpec

from flask import Response, current_app, request
from flask.typing import ResponseReturnValue

from consult import clock, db, web
from consult.domain.calendar import local_day
from consult.extensions import chosen_language

P = ParamSpec("P")

_KEPT_BYTES = 8 * 2**20
_LARGEST = 2**20
_LONGEST_ADDRESS = 300
_SEARCH = "q"  # words people type: hardly ever the same twice, and nobody else's business


@dataclass(frozen=True)
class _Kept:
    stamp: Hashable
    body: bytes


class PageCache:
    """The pages of one process; the least recently used go first."""

    def __init__(self, room: int = _KEPT_BYTES) -> None:
        self._room = room
        self._pages: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def get(self, key: Hashable, stamp: Hashable) -> bytes | None:
        """Return a page drawn under this stamp."""
        with self._lock:
            found = self._pages.get(key)
            if found is None or found.stamp != stamp:
                return None
            self._pages.move_to_end(key)
            return found.body

    def put(self, key: Hashable, stamp: Hashable, body: bytes) -> None:
        """Keep a page; the stamp was read before the page's own reading began."""
        if len(body) > _LARGEST:
            return
        with self._lock:
            before = self._pages.pop(key, None)
            self._size += len(body) - (len(before.body) if before else 0)
            self._pages[key] = _Kept(stamp, body)
            while self._size > self._room:
                self._size -= len(self._pages.popitem(last=False)[1].body)


def kept(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Keep what a view draws; only for pages that depend on nothing but the store, the day and the key below."""

    @functools.wraps(view)
    def answer(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        address = request.full_path
        stamp = None if request.args.get(_SEARCH) or len(address) > _LONGEST_ADDRESS else db.stamp()
        if stamp is None:
            return view(*args, **kwargs)
        key = (
            address,
            request.script_root,
            chosen_language(),
            request.cookies.get("size", "")[:10],
            request.cookies.get("contrast", "")[:10],
            local_day(clock.utc_now()),
        )
        pages: PageCache = web.runtime().cache.setdefault("pages", PageCache())
        body = pages.get(key, stamp)
        if body is None:
            drawn = view(*args, **kwargs)
            if not isinstance(drawn, str):
                return drawn
            body = drawn.encode()
            pages.put(key, stamp, body)
        response: Response = current_app.response_class(body, mimetype="text/html")
        return response

    return answer
