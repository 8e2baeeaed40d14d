"""Supervision in words."""

from __future__ import annotations

STEPS = {
    "auto_receipt": "视为签收",
    "supplement_timeout": "补充逾期",
    "close": "到期办结",
    "recompute_due": "重算到期日",
    "recompute_other_days": "重算审核、审签期限",
    "urge_lead_units": "催办主办单位",
    "urge_co_units": "催办协办单位",
    "urge_reviewers": "催办审核",
    "urge_assigners": "催办分办",
    "urge_signers": "催办审签",
    "close_supervision": "了结督办",
    "open_supervision": "转入督办",
}


def step_words(name: str) -> str:
    """Return what a step of `consult deadlines run` is called."""
    return STEPS.get(name, name)
