"""Values that Python's cyclic garbage collector does not visit."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["untracked"]

T = TypeVar("T")


def untracked(value: T) -> T:
    """
    Have the garbage collector leave out a value that can be in no cycle; return it.

    It is freed as always, when nobody refers to it any more. Each full collection stops all
    threads, and visits every container that there is: for 200,000 messages that takes longer than
    anybody may have to wait, and making so many brings several such collections about.
    """
    if _untrack is not None:
        _untrack(value)
    return value


def _find() -> Callable[[Any], None] | None:
    try:
        found = ctypes.pythonapi.PyObject_GC_UnTrack  # in CPython's stable interface
    except AttributeError:  # another implementation of Python
        return None
    found.argtypes, found.restype = [ctypes.py_object], None
    return found


_untrack = _find()
