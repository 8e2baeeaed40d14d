"""QR pictures for addresses. The one door to segno."""

from __future__ import annotations

from io import BytesIO

import segno


def svg(text: str) -> str:
    """Return a QR picture of `text` as inline SVG without styles, black on white, for any size."""
    out = BytesIO()
    segno.make(text, error="m").save(
        out, kind="svg", xmldecl=False, svgns=True, scale=4, border=2, omitsize=True, dark="#000", light="#fff"
    )
    return out.getvalue().decode()
