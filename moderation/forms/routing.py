"""What an assigner, a supervisor or a unit's leader typed about where a comment belongs."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from moderation.domain.routing import ReturnRequest

Posted = MultiDict[str, str]


@dataclass(frozen=True)
class RoutingForm:
    """Lead and co-units by code."""

    lead: str | None
    co_units: tuple[str, ...]
    note: str


def read_routing(posted: Posted) -> RoutingForm:
    """Return the routing; a unit from the long list wins over the suggestion that is ticked."""
    lead = posted.get("other_lead", "").strip() or posted.get("lead_unit", "").strip() or None
    co_units = [code.strip() for code in posted.getlist("co_units") if code.strip()]
    return RoutingForm(lead, tuple(co_units), posted.get("note", "").strip()[:1000])


def read_return(posted: Posted) -> ReturnRequest:
    """Return a leader's request to hand a comment back."""
    return ReturnRequest(
        reason=posted.get("return_reason", ""),
        explanation=posted.get("explanation", "").strip()[:2000],
        basis=posted.get("basis", "").strip()[:2000],
        proposed_unit=posted.get("proposed_unit", "").strip(),
    )
