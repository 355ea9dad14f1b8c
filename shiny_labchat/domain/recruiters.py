"""
Recruiters: what each says of a person in the address, and where people go back to. Pure.

Sources, read in November 2026:

- Prolific sends ``PROLIFIC_PID``, ``STUDY_ID`` and ``SESSION_ID``, and takes people back at
  ``https://app.prolific.com/submissions/complete?cc=CODE``
  (https://docs.prolific.com/api-reference/studies/the-study-object, and
  https://researcher-help.prolific.co/hc/en-gb/articles/360009223173).
- Sona puts a person's code where the study's address has ``%SURVEY_CODE%``, in its own example
  ``?id=%SURVEY_CODE%``
  (https://www.sona-systems.com/researcher/using-the-survey-code-feature/). The client-side
  completion URL, which Sona shows for each study, ends in ``survey_code=XXXX``
  (https://www.sona-systems.com/researcher/external-study-credit-granting/).
- Connect shows a redirect URL for each project, and people may enter a code instead
  (https://connect-researcher-help.cloudresearch.com/hc/en-us/articles/5046202939796-Project-Completion).
  It adds ``participantId``, ``assignmentId`` and ``projectId`` to the address.
- Mechanical Turk adds ``workerId``, ``assignmentId``, ``hitId`` (and ``turkSubmitTo``) to the
  address
  (https://docs.aws.amazon.com/AWSMechTurk/latest/AWSMechanicalTurkRequester/mturk-hits-defining-questions-html-rendered.html).
  Of a survey behind a link people enter a code.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from shiny_labchat.arguments import did_you_mean
from shiny_labchat.domain.ends import End, check_reason, end_with_code

__all__ = ["RECRUITERS", "params_of", "recruiter"]

PARAMS = {
    "prolific": ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID"),
    "sona": ("id",),
    "connect": ("participantId", "assignmentId", "projectId"),
    "mturk": ("workerId", "assignmentId", "hitId"),
}
RECRUITERS = tuple(PARAMS)
"""The recruiters that are known by name."""


def params_of(name: str) -> tuple[str, ...]:
    """The parameters that a recruiter adds to the address; the first says who somebody is."""
    _check_name(name)
    return PARAMS[name]


def recruiter(name: str, **codes: str | End) -> dict[str, End]:
    """
    The ends of a recruiter.

    Parameters
    ----------
    name
        ``"prolific"``, ``"sona"``, ``"connect"`` or ``"mturk"``.
    **codes
        By reason. For ``"prolific"`` and ``"mturk"``: a completion code. For ``"sona"``: the
        client-side completion URL of the study. For ``"connect"``: the redirect URL of the
        project, or a completion code. An `End` says the pay and the words, too; if it has no URL,
        it gets the recruiter's.

    Returns
    -------
    dict
        The ends, by reason.

    Raises
    ------
    TypeError, ValueError
        The recruiter or a reason is unknown, or the value is not what this recruiter gives.
    """
    _check_name(name)
    for reason in codes:
        check_reason("the end", reason)
    return {reason: _end(name, reason, given) for reason, given in codes.items()}


def _check_name(name: object) -> None:
    if not isinstance(name, str):
        raise TypeError(f"the recruiter must be one of {', '.join(RECRUITERS)}, not {name!r}")
    if name not in RECRUITERS:
        raise ValueError(
            f"{name!r} is no recruiter that is known here{did_you_mean(name, RECRUITERS)} "
            f"Known are: {', '.join(RECRUITERS)}; for others write {{reason: End(code=, url=)}}"
        )


def _end(name: str, reason: str, given: object) -> End:
    if isinstance(given, End):
        if given.url is not None or given.code is None:
            return given
        made = _MAKE[name](reason, given.code)
        return replace(given, code=made.code, url=made.url)
    if not isinstance(given, str):
        raise TypeError(f"{reason} must be text or an End, not {given!r}")
    return end_with_code(reason, _MAKE[name](reason, given))


def _of_prolific(reason: str, given: str) -> End:
    return End(_code(reason, given), "https://app.prolific.com/submissions/complete?cc={code}")


def _of_mturk(reason: str, given: str) -> End:
    return End(_code(reason, given))


def _of_connect(reason: str, given: str) -> End:
    return End(url=given) if _is_address(given) else End(_code(reason, given))


def _of_sona(reason: str, given: str) -> End:
    if not (_is_address(given) and "survey_code=" in given):
        raise ValueError(
            f"{reason} must be the client-side completion URL that Sona shows for the study, such "
            f"as https://SCHOOL.sona-systems.com/webstudy_credit.aspx?experiment_id=1&"
            f"credit_token=2&survey_code=XXXX, not {given!r}"
        )
    return End(url=re.sub(r"(survey_code=)X*(?=&|#|$)", r"\1{id}", given))


def _code(reason: str, given: str) -> str:
    if _is_address(given):
        raise ValueError(f"{reason} must be the completion code alone, not the address {given!r}")
    return given


def _is_address(given: str) -> bool:
    return given.startswith(("http://", "https://"))


_MAKE: dict[str, Callable[[str, str], End]] = {
    "prolific": _of_prolific,
    "sona": _of_sona,
    "connect": _of_connect,
    "mturk": _of_mturk,
}
