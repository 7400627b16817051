"""Every Python block that the documents show is run, in order, and prints what they say it prints.

A block fenced as ``python`` that starts with a prompt is a doctest; any other is executed. Blocks
of one document share their names. A block that is not meant to run is fenced as something else.
"""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.REPORT_NDIFF


def blocks(document: Path) -> list[tuple[int, str]]:
    """The line each Python block starts at, and the block."""
    text = document.read_text(encoding="utf-8")
    return [(text.count("\n", 0, m.start(1)) + 1, m[1]) for m in FENCE.finditer(text)]


DOCUMENTS = sorted(
    path for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")] if blocks(path)
)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_blocks_run_and_print_what_they_say(document, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    for line, block in blocks(document):
        if block.startswith(">>>"):
            test = doctest.DocTestParser().get_doctest(
                block, names, document.name, str(document), line - 1
            )
            printed: list[str] = []
            runner = doctest.DocTestRunner(optionflags=FLAGS)
            failed = runner.run(test, out=printed.append, clear_globs=False).failed
            assert not failed, "".join(printed)
            names |= test.globs
        else:
            code = "\n" * (line - 1) + block
            exec(compile(code, str(document), "exec", dont_inherit=True), names)
