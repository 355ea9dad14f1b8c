"""
ConvoKit's own loader, in a virtual environment of its own.

ConvoKit as a whole brings torch and spaCy, which are gigabytes; what is installed is ConvoKit
itself and what its corpus needs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.cache import cached

__all__ = ["loaded"]

VERSION = "5.0.0"
NEEDS = (
    *("numpy>=2", "pandas", "scipy", "scikit-learn", "tqdm", "pymongo>=4", "pyyaml"),
    *("dill", "joblib", "requests", "msgpack-numpy", "nltk"),
)
PATIENCE = 900.0

SCRIPT = """
import json, sys
from convokit import Corpus

corpus = Corpus(filename=sys.argv[1])
conversations = list(corpus.iter_conversations())
found = {
    "texts": {each.id: each.text for each in corpus.iter_utterances()},
    "speakers": {each.id: dict(each.meta) for each in corpus.iter_speakers()},
    "bots": [each.id for each in corpus.iter_speakers() if getattr(each, "is_ai", False)],
    "conversations": {each.id: each.get_utterance_ids() for each in conversations},
    "broken": [each.id for each in conversations if not each.check_integrity(verbose=False)],
    "columns": list(corpus.get_utterances_dataframe().columns),
}
json.dump(found, open(sys.argv[2], "w"))
"""


def loaded(corpus: Path, folder: Path) -> dict[str, Any]:
    """
    What ConvoKit finds in a corpus.

    Parameters
    ----------
    corpus
        The corpus's folder.
    folder
        An empty folder, for its settings and for what it finds.
    """
    result = folder / "found.json"
    home = {"HOME": str(folder), "USERPROFILE": str(folder)}
    command = [str(_python()), "-c", SCRIPT, str(corpus), str(result)]
    _run(command, {**_clean_environment(), **home})
    return json.loads(result.read_text(encoding="utf-8"))


def _python() -> Path:
    home = cached(f"convokit-{VERSION}-python{sys.version_info.major}.{sys.version_info.minor}")
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (home / "whole").exists():
        _run([sys.executable, "-m", "venv", "--clear", str(home)], _clean_environment())
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        _run([*pip, *NEEDS], _clean_environment())
        _run([*pip, "--no-deps", f"convokit=={VERSION}"], _clean_environment())
        (home / "whole").touch()
    return python


def _clean_environment() -> dict[str, str]:
    """The environment without this tree on the path of modules."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:4])}: {done.stderr[-2000:]}")
