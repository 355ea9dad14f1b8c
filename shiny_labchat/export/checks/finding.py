"""What a check finds."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Finding", "error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """
    Something that is wrong with a data set, or that could be better.

    Parameters
    ----------
    code
        Which rule it breaks, in a word or three; the same for all findings of this kind.
    file
        The file, as a path in the data set with slashes; "": the folder itself.
    problem
        What is wrong, with the value that is.
    to_do
        What to do.
    is_error
        Whether the data set is not valid because of it.
    """

    code: str
    file: str
    problem: str
    to_do: str
    is_error: bool = True

    def __str__(self) -> str:
        kind = "error" if self.is_error else "note"
        return f"{kind}: {self.file or '.'}: {self.problem}. {self.to_do}. [{self.code}]"


def error(code: str, file: str, problem: str, to_do: str) -> Finding:
    """Something that must be changed."""
    return Finding(code, file, problem, to_do)


def warning(code: str, file: str, problem: str, to_do: str) -> Finding:
    """Something that should be changed."""
    return Finding(code, file, problem, to_do, is_error=False)
