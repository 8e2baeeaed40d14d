"""What an import says in Chinese: one sentence for each refusal and each warning.

The sentences are message ids with `%(name)s` places; pages pass them through the catalogue, the command line
shows them as they are. Where a line is known it is said first.
"""

from __future__ import annotations

from collections.abc import Mapping

from consult.domain.outline_model import DraftRefused, DraftWarning

REFUSAL_TEXTS: Mapping[str, str] = {
    "save_as_docx": (
        "%(ending)s 格式不能导入，请在 Word 或 WPS 中打开，选“文件—另存为”，类型选“Word 文档（.docx）”后再导入。"
    ),
    "pdf_not_supported": "PDF 不能导入，请用原来的 Word 文件，或另存为 .docx 后再导入。",
    "unknown_format": "不认识的文件类型 %(ending)s，请导入 .docx、.md、.html 或 .txt 文件。",
    "file_unreadable": "文件打不开：%(reason)s。",
    "file_too_large": "文件太大（%(size)s 字节），最多 %(limit)s 字节。",
    "empty_document": "文件里没有文字。",
    "not_a_docx": "这不是完好的 .docx 文件，请在 Word 或 WPS 中打开后重新另存为 .docx。",
    "not_a_text_file": "这不是文本文件，请检查文件类型。",
    "encoding_unknown": "文字编码无法识别，请另存为 UTF-8 后再导入。",
    "zip_too_many_members": "文件内部的部件超过 %(limit)s 个，不予导入。",
    "zip_too_large": "文件展开后超过 %(limit)s MB，不予导入。",
    "zip_ratio": "文件的压缩比（%(ratio)s 倍）超过 %(limit)s 倍，不予导入。",
    "zip_bad_name": "文件内部的部件名称不合规，不予导入。",
    "zip_encrypted": "文件加了密码，请取消密码后再导入。",
    "macros": "文件带有宏，请另存为不带宏的 .docx 后再导入。",
    "external_relationship": "文件引用了外部内容（%(kind)s），请断开链接或把内容嵌入后再导入。",
    "xml_with_dtd": "文件内部带有实体声明，不予导入。",
    "xml_broken": "文件内部已损坏，请在 Word 或 WPS 中打开后重新另存为 .docx。",
    "nested_too_deep": "表格或文本框嵌套太深，请改为并列后再导入。",
    "table_too_wide": "表格超过 %(limit)s 列，请拆开后再导入。",
    "too_many_headings": "标题超过 %(limit)s 个，不像一份评估稿，不予导入。",
    "too_many_blocks": "段落和表格行超过 %(limit)s 个，不予导入。",
    "too_many_lines": "文件超过 %(limit)s 行，不像一份评估稿，不予导入。",
    "paragraph_huge": "文件里有一段文字超过 10 MB，请分段后再导入。",
    "paragraph_too_long": "这一段有 %(length)s 个字，超过 %(limit)s 个，请分段后再导入。",
    "text_too_long": "全文太长，超过 %(limit)s，请分册后再导入。",
    "cpu_limit": "读这份文件超过了 %(seconds)s 秒的处理时间上限，不予导入。",
    "memory_limit": "读这份文件超过了 %(megabytes)s MB 的内存上限，不予导入。",
    "time_limit": "读这份文件超过了 %(seconds)s 秒仍未完成，不予导入。",
    "draft_unreadable": "文件读不出来，请在 Word 或 WPS 中打开后重新另存为 .docx。",
}

WARNING_TEXTS: Mapping[str, str] = {
    "auto_number": "标题的编号“%(label)s”是自动编号，已按显示的样子写入，请核对。",
    "auto_number_lists": "有 %(count)s 段带自动编号，已按显示的样子写入，请核对。",
    "tracked_changes": "有未接受的修订，已按接受全部修订后的文字导入。",
    "comment": "文件里有批注，批注不导入、不公开。",
    "footnote": "脚注已放在这一段后面，作为注。",
    "endnote": "尾注已放在这一段后面，作为注。",
    "text_box": "文本框里的文字已放在这一段后面，作为注。",
    "boxed_text": "只有一列的表格按文本框处理，作为注。",
    "image": "图片不导入，请改用文字或表格说明。",
    "merged_cells": "表格 %(table)s 有合并的单元格，文字留在第一格，其余为空。",
    "nested_table": "单元格里还有表格，已改为文字。",
    "hidden_text": "有隐藏文字，未导入。",
    "equation": "有公式，只导入了其中的文字，请核对。",
    "symbol_lost": "有特殊字体的符号，未能导入，请核对。",
    "embedded_document": "嵌入的对象未导入。",
    "no_heading_styles": "文件没有使用标题样式，章节是按编号识别的，请逐条核对。",
    "no_headings": "没有识别出章节，全文放在一起。",
    "level_skipped": "标题跳级，已按上一级的下一级处理。",
    "numbering_gap": "编号“%(label)s”与前面不连续，请核对。",
    "numbering_repeat": "编号“%(label)s”与前面重复，请核对。",
    "table_of_contents": "目录（%(count)s 行）未导入，平台按章节自动生成。",
    "registration_header": "文件开头的登记信息（%(count)s 行）未作为正文导入。",
    "cover_notice": "标题前的文字（%(characters)s 字）按印发通知处理，作为注放在最前。",
    "characters_lost": "有 %(count)s 个字符没有导入（%(sample)s），请核对原文。",
    "control_characters": "删去了 %(count)s 个看不见的控制字符。",
    "read_as_gb18030": "文件不是 UTF-8 编码，已按 GB 18030 读取，请核对有无乱码。",
    "link_dropped": "链接地址不安全，只保留了文字。",
    "active_content_dropped": "网页里的脚本等 %(count)s 处内容未导入。",
    "more_warnings": "另有 %(count)s 条提示未列出。",
}


def refusal_sentence(refusal: DraftRefused) -> str:
    """One Chinese sentence, with the line first where it is known."""
    return _sentence(REFUSAL_TEXTS[refusal.code], refusal.line, refusal.params)


def warning_sentence(warning: DraftWarning) -> str:
    """One Chinese sentence, with the line first where it is known."""
    return _sentence(WARNING_TEXTS[warning.code], warning.line, warning.params)


def _sentence(text: str, line: int | None, params: Mapping[str, object]) -> str:
    said = text % params
    return said if line is None else f"第{line}行（段）：{said}"
