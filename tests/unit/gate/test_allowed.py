"""What limits and known sites leave of the verdict on a benchmark."""

from __future__ import annotations

from pathlib import Path

from goretain.gate.allowed import Allowance, allowance, unseen
from goretain.gate.config import Config, read_config
from goretain.gate.measure import Measured, SiteVerdict, StandingVerdict
from goretain.gate.verdict import Judged
from goretain.model.findings import Trend
from goretain.snapshot import Frame

PACKAGE = "example.com/shop"


def judged(trend: Trend, rate: float | None) -> Judged:
    return Judged(trend, "it is made up", None, rate, rate, rate)


def site(function: str, trend: Trend, rate: float | None, objects: float = 1.0) -> SiteVerdict:
    stack = (Frame(function), Frame(f"{PACKAGE}.BenchmarkX")) if function else ()
    return SiteVerdict(stack, judged(trend, rate), judged(trend, objects))


def standing(function: str, trend: Trend, rate: float) -> StandingVerdict:
    return StandingVerdict((Frame(function),) if function else (), judged(trend, rate))


def benchmark(
    *sites: SiteVerdict,
    stands: tuple[StandingVerdict, ...] = (),
    total: Trend = "settles",
    goroutines: Trend = "settles",
) -> Measured:
    return Measured(
        "BenchmarkX",
        total=site("", total, 3.0),
        sites=sites,
        goroutines=standing("", goroutines, 1.0),
        standing=stands,
    )


def config(folder: Path, text: str) -> Config:
    path = folder / "goretain.toml"
    path.write_text(text)
    return read_config(path)


def said(config: Config, measured: Measured) -> Allowance:
    return allowance(config, PACKAGE, measured)


def test_without_limits_the_verdict_is_the_trend() -> None:
    for trend in ("grows", "undecided", "settles"):
        assert said(Config(), benchmark(site("a.f", trend, 0.5))).verdict == trend
    both = benchmark(site("a.f", "undecided", 9.0), site("a.g", "grows", 0.5))
    assert said(Config(), both).verdict == "grows"
    assert said(Config(), benchmark(stands=(standing("a.f", "grows", 0.01),))).verdict == "grows"
    assert said(Config(), Measured("BenchmarkX", skipped=True)).verdict is None


def test_limits_are_per_call_stack(tmp_path: Path) -> None:
    limits = config(tmp_path, "[gate]\nbytes = 16\ngoroutines = 0.1")
    within = said(limits, benchmark(site("a.f", "grows", 16.0), site("a.g", "grows", 15.0)))
    assert within.verdict == "allowed"
    assert [ruling.allowed for ruling in within.sites] == ["within its limit"] * 2
    above = said(limits, benchmark(site("a.f", "grows", 16.5), site("a.g", "grows", 15.0)))
    assert above.verdict == "grows"
    assert [ruling.over for ruling in above.sites] == ["the limit is 16 B", None]
    assert said(limits, benchmark(stands=(standing("a.f", "grows", 0.1),))).verdict == "allowed"
    assert said(limits, benchmark(stands=(standing("a.f", "grows", 0.2),))).verdict == "grows"


def test_of_too_few_runs_only_the_whole_is_judged(tmp_path: Path) -> None:
    few = Measured(
        "BenchmarkX",
        total=site("", "undecided", None),
        sites=(site("a.f", "undecided", None),) * 3,
        goroutines=standing("", "undecided", 0.0),
    )
    for config_ in (Config(), config(tmp_path, "[gate]\nbytes = '1GiB'")):
        assert said(config_, few).verdict == "undecided"
        assert said(config_, few).sites == ()


def test_known_sites_may_grow_up_to_their_own_limit(tmp_path: Path) -> None:
    known = config(
        tmp_path,
        "[gate]\nbytes = 1\n[[gate.known]]\nfunction = 'a.f'\nreason = 'ours'\n"
        "[[gate.known]]\nfunction = 'a.g'\nreason = 'theirs'\nobjects = 2",
    )
    both = said(known, benchmark(site("a.f", "grows", 1e6), site("a.g", "grows", 1e6, objects=2.0)))
    assert both.verdict == "allowed"
    assert [ruling.allowed for ruling in both.sites] == ["known: ours", "known: theirs"]
    more = said(known, benchmark(site("a.f", "grows", 1e6), site("a.g", "grows", 8.0, objects=3.0)))
    assert more.verdict == "grows"
    assert more.sites[1].over == "the limit is 2 objects"
    assert said(known, benchmark(site("a.h", "grows", 8.0))).sites[0].over == "the limit is 1 B"


def test_totals_speak_where_no_call_stack_does(tmp_path: Path) -> None:
    many = benchmark(site("a.f", "settles", 0.01), total="grows")
    assert said(Config(), many).verdict == "grows"
    assert said(config(tmp_path, "[gate]\nbytes = 3"), many).verdict == "allowed"
    known = config(tmp_path, "[[gate.known]]\nfunction = 'a.f'\nreason = 'ours'")
    assert said(known, benchmark(site("a.f", "grows", 3.0), total="grows")).verdict == "allowed"
    assert said(Config(), benchmark(goroutines="undecided")).verdict == "undecided"


def test_known_sites_that_grow_no_more_are_told(tmp_path: Path) -> None:
    known = config(
        tmp_path,
        "".join(
            f"[[gate.known]]\nfunction = '{function}'\nreason = 'r'\nbenchmark = '{name}'\n"
            for function, name in (("a.f", "*"), ("a.g", "*"), ("a.h", "BenchmarkOther"), ("a.i", "*"))
        ),
    )
    measured = benchmark(
        site("a.f", "grows", 3.0), site("a.g", "settles", 0.0), stands=(standing("a.i", "grows", 1.0),)
    )
    missed = unseen(known, [(PACKAGE, measured, said(known, measured))])
    assert [one.function for one in missed] == ["a.g"]
    skipped = Measured("BenchmarkX", skipped=True)
    assert unseen(known, [(PACKAGE, skipped, said(known, skipped))]) == ()
