"""What the command line does without settings, keys or store: help and labels."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLAIN = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}


def consult(*arguments: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "moderation.cli", *arguments],
        cwd=cwd,
        env=PLAIN | environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def _label(kind: str, rows: list[object], folder: Path) -> list[dict[str, object]]:
    given, out = folder / "in.jsonl", folder / "out.jsonl"
    given.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    done = consult("label", kind, str(given), "-o", str(out), cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in out.read_text("utf-8").splitlines()]


def test_help_needs_no_settings_and_touches_nothing(tmp_path: Path) -> None:
    done = consult("--help", cwd=tmp_path)
    assert done.returncode == 0
    for name in ("config", "db", "plan", "consultation", "draft", "user", "label", "backup", "restore"):
        assert f"\n  {name} " in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    [
        ["config"],
        ["db"],
        ["db", "upgrade"],
        ["db", "check"],
        ["plan", "import"],
        ["consultation", "create"],
        ["consultation", "publish"],
        ["consultation", "extend"],
        ["consultation", "collate"],
        ["consultation", "list"],
        ["draft", "import"],
        ["user", "add"],
        ["user", "disable"],
        ["user", "reset"],
        ["label", "routing"],
        ["label", "sections"],
        ["backup"],
        ["restore"],
        ["search", "rebuild"],
    ],
    ids=" ".join,
)
def test_every_command_explains_itself_in_chinese(command: list[str]) -> None:
    from moderation.cli import cli

    found = cli
    for name in command:
        found = found.commands[name]  # type: ignore[attr-defined,assignment]
    assert any("\u4e00" <= char <= "\u9fff" for char in found.help or "")


def test_label_pii_gives_half_open_spans_of_the_settled_types(tmp_path: Path) -> None:
    texts = ["电话13800138000联系", "投资13800138000元", "QQ号12345678，邮箱a@example.com", ""]
    answers = _label("pii", [{"id": str(n), "text": text} for n, text in enumerate(texts)], tmp_path)
    assert answers[0] == {"spans": [[2, 13, "mobile"]]}
    assert answers[1] == {"spans": []}
    assert {span[2] for span in answers[2]["spans"]} == {"wechat", "email"}  # type: ignore[attr-defined]
    assert answers[3] == {"spans": []}


def test_label_duplicates_names_a_group_or_nothing(tmp_path: Path) -> None:
    same = "建议在莘庄地铁站南广场增设公交站点，方便换乘，早晚高峰排队太长了。"
    answers = _label(
        "duplicates", [{"text": same}, {"text": "希望增加幼儿园学位。"}, {"text": same + "谢谢！"}], tmp_path
    )
    assert answers[0]["group"] == answers[2]["group"]
    assert answers[0]["group"] is not None
    assert answers[1] == {"group": None}


def test_label_anchors_says_where_the_words_went(tmp_path: Path) -> None:
    row = {
        "quote": "路网密度达到4.0公里",
        "prefix": "",
        "suffix": "",
        "block": 0,
        "before": ["到2025年，路网密度达到4.0公里/平方公里。", "另一段。"],
        "after": ["新的一段文字。", "到2025年，路网密度达到4.0公里/平方公里。", "另一段。"],
    }
    answers = _label("anchors", [row], tmp_path)
    assert answers == [{"state": "exact", "block": 1, "start": 7, "end": 18}]


def test_label_routing_uses_the_plan_that_comes_with_the_program(tmp_path: Path) -> None:
    answers = _label("routing", [{"text": "公交线路太少，地铁站接驳不方便。"}, {"text": ""}], tmp_path)
    assert answers[0]["units"][0] == "JTW"  # type: ignore[index]
    assert all(set(answer) == {"units", "items"} for answer in answers)


def test_label_sections_reads_a_folder_of_documents(tmp_path: Path) -> None:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "b.md").write_text("# 稿\n\n## 一、甲\n\n文。\n\n### （一）乙\n\n文。\n", "utf-8")
    (folder / "a.docx").write_bytes(b"broken")
    out = tmp_path / "out.jsonl"
    done = consult("label", "sections", str(folder), "-o", str(out), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert rows[0] == {"file": "a.docx", "sections": []}
    assert rows[1] == {
        "file": "b.md",
        "sections": [
            {"label": "一、", "title": "甲", "level": 1},
            {"label": "（一）", "title": "乙", "level": 2},
        ],
    }


@pytest.mark.parametrize(
    ("line", "words"),
    [("{bad", "第 2 行不是 JSON"), ("[]", "第 2 行应是一个 JSON 对象"), ('{"text": 1}', "第 2 行缺少文字 text")],
)
def test_a_bad_line_is_named_and_no_output_appears(tmp_path: Path, line: str, words: str) -> None:
    given, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    given.write_text('{"text": "好"}\n' + line + "\n", "utf-8")
    done = consult("label", "pii", str(given), "-o", str(out), cwd=tmp_path)
    assert done.returncode == 1
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bogus"], "命令或参数不对。"),
        (["label", "pii", "none.jsonl", "-o", "x"], "文件或文件夹不存在"),
        (["label", "pii"], "缺少参数"),
        (["backup", "--bogus"], "没有选项 --bogus。"),
        (["config"], "CONSULT_SECRET_KEY"),
        (["plan", "import", "none"], "文件或文件夹不存在"),
    ],
)
def test_a_wrong_command_gets_a_sentence_and_no_traceback(tmp_path: Path, arguments: list[str], words: str) -> None:
    done = consult(*arguments, cwd=tmp_path)
    assert done.returncode != 0
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
