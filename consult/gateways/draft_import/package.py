"""The ZIP around a Word file: its directory is checked before anything in it is opened (issue of zip bombs, XXE).

Runs in the child process.
"""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import Any

from lxml import etree

from consult.domain.outline_model import DraftRefused

MAX_MEMBERS = 2_000
MAX_UNPACKED_BYTES = 50 * 1024 * 1024
MAX_RATIO = 100
_RATIO_MATTERS_FROM = 1024 * 1024

_BROKEN_MEMBER = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,
    EOFError,
    OSError,
    RuntimeError,
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_DIRECTORY_ENTRY = b"PK\x01\x02"


class WordPackage:
    """A checked Word file; parts are read one by one, never more than the directory promised."""

    def __init__(self, data: bytes) -> None:
        """Check the directory.

        Raises:
            DraftRefused: `save_as_docx`, `not_a_docx`, `zip_too_many_members`, `zip_too_large`,
                `zip_ratio`, `zip_bad_name`, `zip_encrypted`, `macros`, `external_relationship`, `xml_with_dtd`.
        """
        if data.startswith(_OLE):
            raise DraftRefused("save_as_docx", ending=".doc")
        if not data.startswith(b"PK\x03\x04"):
            raise DraftRefused("not_a_docx")
        if data.count(_DIRECTORY_ENTRY) > MAX_MEMBERS:
            raise DraftRefused("zip_too_many_members", limit=MAX_MEMBERS)
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError) as error:
            raise DraftRefused("not_a_docx") from error
        self._members = {info.filename: info for info in self._zip.infolist()}
        self._check_directory(len(data))
        self._check_relationships()

    def _check_directory(self, size: int) -> None:
        infos = self._zip.infolist()
        if len(infos) > MAX_MEMBERS:
            raise DraftRefused("zip_too_many_members", limit=MAX_MEMBERS)
        if len(self._members) != len(infos):
            raise DraftRefused("zip_bad_name", name="")
        total = 0
        for info in infos:
            total += info.file_size
            if not _safe_name(info.filename):
                raise DraftRefused("zip_bad_name", name=info.filename[:60])
            if info.flag_bits & 0x1:
                raise DraftRefused("zip_encrypted")
            if PurePosixPath(info.filename).name.lower() in ("vbaproject.bin", "vbadata.xml"):
                raise DraftRefused("macros")
            packed = max(info.compress_size, 1)
            if info.file_size > _RATIO_MATTERS_FROM and info.file_size > MAX_RATIO * packed:
                raise DraftRefused("zip_ratio", ratio=info.file_size // packed, limit=MAX_RATIO)
        if total > MAX_UNPACKED_BYTES:
            raise DraftRefused("zip_too_large", megabytes=total // 1_048_576, limit=MAX_UNPACKED_BYTES // 1_048_576)
        if total > MAX_RATIO * size:
            raise DraftRefused("zip_ratio", ratio=total // size, limit=MAX_RATIO)

    def _check_relationships(self) -> None:
        for name in self._members:
            if not name.endswith(".rels"):
                continue
            root = self.xml(name)
            for one in root if root is not None else ():
                kind = str(one.get("Type") or "").rsplit("/", 1)[-1]
                if one.get("TargetMode") == "External" and kind != "hyperlink":
                    raise DraftRefused("external_relationship", kind=kind[:40])

    def __contains__(self, name: str) -> bool:
        """Whether the package has this part."""
        return name in self._members

    def names(self) -> list[str]:
        """Names of all parts."""
        return list(self._members)

    def read(self, name: str) -> bytes | None:
        """Bytes of a part, None when it does not exist.

        Raises:
            DraftRefused: `zip_too_large` when it unpacks to more than the directory says, `not_a_docx`.
        """
        info = self._members.get(name)
        if info is None:
            return None
        try:
            with self._zip.open(info) as part:
                data = part.read(info.file_size + 1)
        except _BROKEN_MEMBER as error:
            raise DraftRefused("not_a_docx") from error
        if len(data) > info.file_size:
            raise DraftRefused("zip_too_large", megabytes=0, limit=MAX_UNPACKED_BYTES // 1_048_576)
        return data

    def xml(self, name: str) -> Any | None:
        """Root element of a part, None when it does not exist.

        Raises:
            DraftRefused: `xml_with_dtd`, `xml_broken`, `paragraph_huge` or `nested_too_deep`.
        """
        data = self.read(name)
        if data is None:
            return None
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True
        )
        try:
            root = etree.fromstring(data, parser)
        except etree.XMLSyntaxError as error:
            raise _xml_refusal(error, name) from error
        if root.getroottree().docinfo.internalDTD is not None:
            raise DraftRefused("xml_with_dtd", part=name)
        return root

    def main_part(self) -> str:
        """Name of the part with the text.

        Raises:
            DraftRefused: `not_a_docx`.
        """
        relationships = self.xml("_rels/.rels")
        for one in relationships if relationships is not None else ():
            if str(one.get("Type") or "").endswith("/officeDocument"):
                target = str(one.get("Target") or "").lstrip("/")
                if target in self._members:
                    return target
        if "word/document.xml" in self._members:
            return "word/document.xml"
        raise DraftRefused("not_a_docx")


def _xml_refusal(error: etree.XMLSyntaxError, name: str) -> DraftRefused:
    message = str(error).lower()
    if error.code == etree.ErrorTypes.ERR_NO_MEMORY or "memory" in message:
        raise MemoryError from error
    if "depth" in message:
        return DraftRefused("nested_too_deep")
    if "entit" in message or "doctype" in message or "dtd" in message:
        return DraftRefused("xml_with_dtd", part=name)
    if "huge" in message:
        return DraftRefused("paragraph_huge")
    return DraftRefused("xml_broken", part=name)


def _safe_name(name: str) -> bool:
    if not name or name.startswith("/") or "\\" in name or ":" in name or "\x00" in name:
        return False
    return ".." not in PurePosixPath(name).parts
