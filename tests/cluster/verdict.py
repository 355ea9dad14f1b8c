"""Whether a run kept what is promised."""

from __future__ import annotations

from collections.abc import Sequence

from tests.cluster.plan import RECOVERY
from tests.cluster.run import Outcome
from tests.cluster.tally import outside, p99, recovery, within
from tests.soak.verdict import Verdict

__all__ = ["BUSY", "GONE_WITHIN", "SLOWER", "of_record", "of_times"]

SLOWER = 10.0
"""How many times slower than when it is quiet it may be while something fails elsewhere."""
GONE_WITHIN = 2.0
"""How long a message may take while there is no bus, in seconds."""
BUSY = 0.1
"""Where the p99 is longer when nothing fails, the machine is too busy to measure, in seconds."""
SHOWN = 5
"""So many faults of a kind are said."""


def of_record(outcome: Outcome) -> list[Verdict]:
    """What is to be said of messages and callbacks, however fast the machine is."""
    return [
        _none("rooms in which something is lost, doubled or not as in the log", outcome.lost),
        Verdict(outcome.refused == 0, f"{outcome.refused} of {outcome.said} messages were refused"),
        _none(f"callbacks that ran wrongly ({outcome.repeats} marked repeats)", outcome.runs),
        _none("errors that nobody has caught", outcome.tracebacks),
    ]


def of_times(outcome: Outcome) -> list[Verdict]:
    """What is to be said of the times that messages took."""
    quiet = p99(within(outcome.deliveries, *outcome.quiet))
    return [
        Verdict(
            quiet <= BUSY,
            f"p99 {1000 * quiet:.1f} ms when it was quiet: the machine can be measured "
            f"(at most {1000 * BUSY:g} ms)",
        ),
        *_of_recovery(outcome, quiet),
        _of_speed(outcome, quiet),
        *_of_bus(outcome),
    ]


def _none(what: str, found: Sequence[str]) -> Verdict:
    shown = "".join(f"\n  {each}" for each in found[:SHOWN])
    return Verdict(not found, f"{len(found)} {what}{shown}")


def _of_recovery(outcome: Outcome, quiet: float) -> list[Verdict]:
    found: list[Verdict] = []
    for at, fault in outcome.faults:
        took = recovery(outcome.deliveries, at, SLOWER * quiet)
        what = f"worker {fault.number}" if fault.kind == "worker" else f"the {fault.kind}"
        text = f"{what} killed: as before after {took.seconds:.2f} s (at most {RECOVERY:g} s)"
        slowest = f"; the slowest message took {took.slowest:.2f} s"
        found.append(Verdict(took.seconds <= RECOVERY, text + slowest))
    return found


def _of_speed(outcome: Outcome, quiet: float) -> Verdict:
    begin = outcome.quiet[1]
    end = outcome.gone[0] if outcome.gone else float("inf")
    shaken = within(outcome.deliveries, begin, end)
    others = p99(outside(shaken, [at for at, _ in outcome.faults]))
    text = f"p99 {1000 * others:.1f} ms between faults, {1000 * quiet:.1f} ms when it was quiet"
    return Verdict(others <= SLOWER * quiet, f"{text} (at most {SLOWER:g} times that)")


def _of_bus(outcome: Outcome) -> list[Verdict]:
    if outcome.gone is None:
        return []
    some = within(outcome.deliveries, *outcome.gone)
    slowest = max((each.took for each in some), default=float("inf"))
    text = f"without a bus, p99 {1000 * p99(some):.0f} ms, the slowest message {slowest:.2f} s"
    return [Verdict(slowest <= GONE_WITHIN, f"{text} (at most {GONE_WITHIN:g} s)")]
