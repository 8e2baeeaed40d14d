"""Reading a draft from a Word, Markdown, HTML or text file, in a process of its own with hard limits.

`read_draft` is the only door: the bytes go to a child process that has 2 seconds of processor time and 200 MB of
address space, reads no network and no other file, and answers with the draft or with the reason for refusing.
"""

from consult.gateways.draft_import.reading import label_sections, read_draft

__all__ = ["label_sections", "read_draft"]
