"""The page's files are joined to one that does the same, or the wheel is not built."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from hatch_build import joined_modules, joined_page, joined_styles

from .code import PACKAGE

MODULES = {
    "top.js": '// @ts-check\nimport { one, two as second } from "./sub/a.js";\n'
    'import "./sub/b.js";\n\nshow(one(), second);\n',
    "sub/a.js": 'import { Base } from "./b.js";\n\n'
    "export function one() {\n  return new Base();\n}\nexport const two = 2;\n",
    "sub/b.js": "export class Base {}\nconst hidden = 1;\n",
}
JOINED = """const M_sub_b = (() => {
class Base {}
const hidden = 1;
return { Base };
})();

const M_sub_a = (() => {
const { Base } = M_sub_b;

function one() {
  return new Base();
}
const two = 2;
return { one, two };
})();

const M_top = (() => {
// @ts-check
const { one, two: second } = M_sub_a;

show(one(), second);
})();
"""


def written(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_each_module_is_a_function_after_those_that_it_imports(tmp_path: Path) -> None:
    assert joined_modules(written(tmp_path, MODULES), "top.js") == JOINED


@pytest.mark.parametrize(
    "line",
    [
        "export let counter = 0;",
        "export default class {}",
        'export { one } from "./sub/a.js";',
        "export { hidden };",
        'import * as all from "./sub/a.js";',
        'import one from "./sub/a.js";',
        "import { one } from './sub/a.js';",
    ],
)
def test_what_cannot_be_joined_ends_the_build(tmp_path: Path, line: str) -> None:
    written(tmp_path, {**MODULES, "top.js": f"{MODULES['top.js']}{line}\n"})
    with pytest.raises(ValueError, match=re.escape(line)):
        joined_modules(tmp_path, "top.js")


def test_style_sheets_stand_where_they_were_imported(tmp_path: Path) -> None:
    files = {
        "top.css": '/* All. */\n@import "./parts/a.css";\n@import "./parts/b.css";\n\nb {}\n',
        "parts/a.css": '@import "./c.css";\na { top: 1px }\n',
        "parts/b.css": "b { top: 1px }\n",
        "parts/c.css": "c { mask: url('data:image/svg+xml,<svg/>') }\n",
    }
    joined = joined_styles(written(tmp_path, files), "top.css")
    assert [line[0] for line in joined.splitlines() if line] == ["/", "c", "a", "b", "b"]
    assert "@import" not in joined


def test_a_style_sheet_that_names_another_file_ends_the_build(tmp_path: Path) -> None:
    written(tmp_path, {"top.css": "a { background: url(../a.png) }\n"})
    with pytest.raises(ValueError, match=re.escape("url(../a.png)")):
        joined_styles(tmp_path, "top.css")


def test_nothing_of_the_page_is_left_out() -> None:
    joined = joined_page(PACKAGE / "www")
    for path in (PACKAGE / "www").rglob("*.js"):
        parts = re.split(r"^(?:import|export) .*\n", path.read_text(), flags=re.MULTILINE)
        for part in parts:
            assert part in joined["unloaded.js" if path.name == "unloaded.js" else "labchat.js"]
    for path in (PACKAGE / "www" / "styles").glob("*.css"):
        assert path.read_text() in joined["labchat.css"]
