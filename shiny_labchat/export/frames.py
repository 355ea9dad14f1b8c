"""
Files of an export as data frames of polars or pandas.

CSV readers do not tell an empty text, which is quoted, from a missing value, which is not; and
they guess types: "007" becomes 7 and "NA" is missing. So each quoted field gets a mark before it
is read, all columns are read as text, and then made what the codebook says they are.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import orjson

from shiny_labchat.errors import ExportError
from shiny_labchat.export.columns import ColumnType

__all__ = ["ENGINES", "Engine", "frame_of", "installed"]

Engine = Literal["polars", "pandas"]
ENGINES: Sequence[Engine] = ("polars", "pandas")
"""The libraries that make data frames; the first one that is installed is taken."""
Types = Mapping[str, ColumnType]

_QUOTED = re.compile(rb'"([^"]*(?:""[^"]*)*)"')
_MARK = b'"x\\1"'
"""A quoted field begins with an x, which is taken away again: so it is never empty."""
_BOM = b"\xef\xbb\xbf"
_TIME = "%Y-%m-%dT%H:%M:%S"


def installed(folder: Path, engines: Sequence[Engine] = ENGINES) -> Engine:
    """
    The library whose data frames are made: polars, if it is installed, else pandas.

    Raises
    ------
    ExportError
        Neither is installed.
    """
    for engine in engines:
        if find_spec(engine):
            return engine
    raise ExportError(
        folder,
        "reading it as data frames needs polars or pandas; type: pip install polars (or: pip "
        "install pandas)",
    )


def frame_of(paths: Sequence[Path], types: Types, engine: Engine) -> Any:
    """
    A table as a data frame.

    Parameters
    ----------
    paths
        The table's files, all with the same content; the format is that of the name's end. The
        one that is read most exactly and fastest is read.
    types
        The type of each of its columns.
    engine
        The library that makes it.
    """
    by_format = {path.suffix: path for path in paths}
    parquet = by_format.get(".parquet")
    if parquet is not None and _reads_parquet(engine):
        return _of_parquet(parquet, engine)
    for ending, columns_in in _TEXT_FORMATS.items():
        if ending in by_format:
            path = by_format[ending]
            return _TYPED[engine](columns_in(path, types, engine), types)
    if parquet is not None:
        raise ExportError(
            parquet, "pandas reads parquet with pyarrow; type: pip install pyarrow (or polars)"
        )
    raise ExportError(paths[0], "it is in no format that can be read as a data frame")


# ── parquet ──────────────────────────────────────────────────────────────────────────────────


def _reads_parquet(engine: Engine) -> bool:
    return engine == "polars" or find_spec("pyarrow") is not None


def _of_parquet(path: Path, engine: Engine) -> Any:
    library: Any = import_module(engine)
    if engine == "polars":
        return library.read_parquet(path, glob=False)
    return library.read_parquet(path, engine="pyarrow", dtype_backend="numpy_nullable")


# ── text formats: all columns as marked text ─────────────────────────────────────────────────


def _of_csv(path: Path, types: Types, engine: Engine) -> Any:
    data = io.BytesIO(_QUOTED.sub(_MARK, path.read_bytes().removeprefix(_BOM)))
    library: Any = import_module(engine)
    if engine == "polars":
        frame = library.read_csv(data, infer_schema=False)
    else:
        frame = library.read_csv(
            data,
            dtype="string",
            keep_default_na=False,
            na_filter=False,
            lineterminator="\n",
            encoding="utf-8",
        )
    if len(frame.columns) != len(types):
        raise ExportError(path, "it has other columns than the codebook says; export again")
    frame.columns = list(types)  # they stand in the codebook in this order
    return frame


def _of_jsonl(path: Path, types: Types, engine: Engine) -> Any:
    columns: dict[str, list[str]] = {name: [] for name in types}
    with path.open("rb") as lines:
        for line in lines:
            row = orjson.loads(line)
            for name, values in columns.items():
                values.append(_as_csv(row.get(name), types[name]))
    library: Any = import_module(engine)
    if engine == "polars":
        return library.DataFrame(columns, schema=dict.fromkeys(types, library.String))
    return library.DataFrame(columns, columns=list(types), dtype="string")


def _as_csv(value: Any, type: ColumnType) -> str:
    if value is None:
        return ""
    if type == "text":
        return f"x{value}"
    return str(value).lower() if isinstance(value, bool) else str(value)


_TEXT_FORMATS: Mapping[str, Callable[[Path, Types, Engine], Any]] = {
    ".csv": _of_csv,
    ".jsonl": _of_jsonl,
}


# ── the columns' types ───────────────────────────────────────────────────────────────────────


def _polars_typed(frame: Any, types: Types) -> Any:
    pl: Any = import_module("polars")

    def of(name: str) -> Any:
        present = pl.when(pl.col(name) != "").then(pl.col(name))
        match types.get(name, "text"):
            case "text":
                made = present.otherwise(None).str.slice(1)
            case "boolean":
                made = present.otherwise(None) == "true"
            case "time":
                made = (
                    present.otherwise(None)
                    .str.to_datetime(f"{_TIME}%.fZ", time_unit="us")
                    .dt.replace_time_zone("UTC")
                )
            case number:
                made = present.otherwise(None).cast(pl.Int64 if number == "integer" else pl.Float64)
        return made.alias(name)

    return frame.select([of(name) for name in frame.columns])


def _pandas_typed(frame: Any, types: Types) -> Any:
    pd: Any = import_module("pandas")

    def of(name: str) -> Any:
        present = frame[name].where(frame[name] != "", pd.NA)
        match types.get(name, "text"):
            case "text":
                return present.str.slice(1)
            case "boolean":
                return (present == "true").astype("boolean")
            case "time":
                moments = pd.to_datetime(present, format=f"{_TIME}.%fZ", utc=True)
                return moments.astype("datetime64[us, UTC]")
            case number:
                numbers = pd.to_numeric(present)
                return numbers.astype("Int64" if number == "integer" else "Float64")

    return pd.DataFrame({name: of(name) for name in frame.columns}, columns=list(frame.columns))


_TYPED: Mapping[Engine, Callable[[Any, Types], Any]] = {
    "polars": _polars_typed,
    "pandas": _pandas_typed,
}
