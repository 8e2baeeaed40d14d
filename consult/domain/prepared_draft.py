"""An imported draft with everything the store adds to it: keys, plan items and default leads."""

from __future__ import annotations

from dataclasses import dataclass

from consult.domain.outline_model import DraftWarning, ImportedBlock, ImportedSection
from consult.domain.section_leads import Lead


@dataclass(frozen=True, slots=True)
class PreparedSection:
    """A section as it will be stored, with its items and its default lead."""

    section: ImportedSection
    item_keys: tuple[str, ...]
    lead: Lead
    lead_name: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A draft ready to be stored or shown as a preview; nothing is written yet.

    `number` is the number the version gets; `replaces` tells whether a version in work gives way to it.
    """

    number: int
    replaces: bool
    title: str
    preamble: tuple[ImportedBlock, ...]
    sections: tuple[PreparedSection, ...]
    warnings: tuple[DraftWarning, ...]

    @property
    def block_count(self) -> int:
        """Number of paragraphs and table rows."""
        return len(self.preamble) + sum(len(one.section.blocks) for one in self.sections)
