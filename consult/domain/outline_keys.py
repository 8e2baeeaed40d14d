"""carry_keys placeholder"""

from consult.domain.outline_model import ImportedDraft


def carry_keys(previous: ImportedDraft, new: ImportedDraft) -> ImportedDraft:
    return new
