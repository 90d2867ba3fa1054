"""Why a site grows, settles or is undecided, in one sentence, and what would decide it. Imports ``model`` and
this room.
"""

from __future__ import annotations

import math

from goretain.model.findings import Confidence
from goretain.model.units import duration
from goretain.profile.growth.verdict import (
    LEAST_PROFILES,
    LEAST_SAMPLES,
    LEAST_SECOND_SAMPLES,
    LEAST_SECOND_SURE,
    LEAST_SURE,
    RULES,
    SETTLED,
    Verdicts,
)

#: Rules that more samples decide, whether they come of a longer watch or of a higher rate.
_SAMPLED = {RULES.index("samples"), RULES.index("noise")}
#: Few samples break this rule too, and so does a jump.
_EITHER = {RULES.index("step")}
#: So much more than the rules ask for, as what is sampled may fall short by chance.
_MARGIN = 1.5
#: A hint beyond this many times the series is no advice.
_MOST = 100


def confidence(verdicts: Verdicts, site: int) -> Confidence:
    """How sure the verdict on a site is."""
    if verdicts.grows[site]:
        return Confidence(level="likely", reason=_grows(verdicts, site))
    if verdicts.settles[site]:
        return Confidence(level="likely", reason=_settled(verdicts, site))
    reason = _undecided(verdicts, site, RULES[int(verdicts.broken[site].argmax())])
    return Confidence(level="undecided", reason=reason, decide=_decide(verdicts, site))


def _grows(verdicts: Verdicts, site: int) -> str:
    m = verdicts.measures
    return (
        f"{m.samples[site]:.0f} samples more than at the beginning (by chance {_chance(m.p[site])}); of what"
        f" the second half allocated {min(m.survival[site], 1.0):.0%} is still in use; it did not slow down,"
        " fall back or jump"
    )


def _settled(verdicts: Verdicts, site: int) -> str:
    m, shown = verdicts.measures, verdicts.settled[site]
    if shown[SETTLED.index("no rise")]:
        return f"no rise that chance does not explain ({_chance(m.p[site])})"
    if shown[SETTLED.index("falls back")]:
        return f"it falls back by {m.drawdown[site]:.0%} of its range"
    return f"the second half grew at {_share(m.second[site], m.first[site])} of the pace of the first"


def _undecided(verdicts: Verdicts, site: int, rule: str) -> str:
    m = verdicts.measures
    if rule == "profiles":
        return f"{len(verdicts.series.seconds)} profiles are too few; {LEAST_PROFILES} are needed"
    if rule == "rise":
        return f"the rise may be chance ({_chance(m.p[site])}, {_chance(m.q[site])} over all sites)"
    if rule == "samples":
        grown, needed, where = m.samples[site], LEAST_SAMPLES, ""
        if grown >= needed:
            grown, needed, where = m.second_samples[site], LEAST_SECOND_SAMPLES, " in the second half"
        return f"it grew by {grown:.1f} samples{where}; {needed:.0f} are needed"
    if rule == "noise":
        return (
            f"it grew by {m.sure[site]:.1f} standard errors of what was sampled, {m.second_sure[site]:.1f} in"
            f" the second half; {LEAST_SURE:.1f} and {LEAST_SECOND_SURE:.1f} are needed"
        )
    if rule == "survival":
        left = max(m.survival[site], 0.0)
        return f"of what the second half allocated only {left:.0%} is in use: its size may follow the load"
    if rule == "pace":
        pace = _share(m.second[site], m.first[site])
        return f"it slows down: the second half grew at {pace} of the pace of the first"
    if rule == "drawdown":
        return f"it fell back by {m.drawdown[site]:.0%} of its range in between"
    return "most of the growth is one jump" if rule == "step" else "it does not rise between two large jumps"


def _decide(verdicts: Verdicts, site: int) -> str:
    """A longer watch; where samples are what is missing, a higher rate too."""
    m, series = verdicts.measures, verdicts.series
    span = float(series.seconds[-1] - series.seconds[0])
    broken = set(verdicts.broken[site].nonzero()[0].tolist())
    if RULES.index("profiles") in broken:
        return f"collect {LEAST_PROFILES - len(series.seconds)} more profiles"
    if not broken & _SAMPLED or broken - _SAMPLED - _EITHER:
        return f"watch for {_time(2 * span)}, longer than its caches take to fill and its load to repeat"
    samples, sure, second = (max(column[site], 1e-9) for column in (m.samples, m.sure, m.second_sure))
    missing = max(LEAST_SAMPLES / samples, (LEAST_SURE / sure) ** 2, (LEAST_SECOND_SURE / second) ** 2, 1.0)
    factor = _MARGIN * missing
    if factor > _MOST:
        return (
            f"watch for much longer than {_time(span)}, or take profiles with every object: memprofilerate=1"
        )
    # A power of two: a rate is a setting that people write down.
    rate = 2 ** max(math.floor(math.log2(max(series.rate / factor, 1))), 0)
    longer = f"watch for {_time(factor * span)}"
    if rate >= series.rate:
        return longer
    return f"{longer}, or restart it with GODEBUG=memprofilerate={rate}"


def _share(part: float, whole: float) -> str:
    return f"{max(part, 0) / whole:.0%}" if whole > 0 else "none"


def _chance(p: float) -> str:
    return "p < 1e-9" if p < 1e-9 else f"p = {p:.1e}" if p < 0.001 else f"p = {p:.3f}"


def _time(seconds: float) -> str:
    return duration(math.ceil(seconds * 1e9))
