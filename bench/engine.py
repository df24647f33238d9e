"""The engine against pyAgrum, pgmpy and plain Python, on the same packs and answers.

Ours is the way every answer takes: evidence in, posterior or next question out, nothing cut out of
it. The evidence changes before every call. Findings count in full (temper 1), as with the others.
"""

import argparse
from collections.abc import Sequence

import numpy as np

from triage.engine.selection import outlook_of
from triage.evaluation.tables import Table

from ._bars import Bar, print_bars
from ._clock import alternating, by_two_clocks, in_words
from ._ours import Effort, Ours, furthest, versus, worst
from ._packs import Pack, drawn, shipped, untempered
from ._plain import Plain, gains_by_definition
from ._topics import shipped_topics

MOST_SECONDS = 0.010
"""For all that would change the advice: so much later it is shown."""

BARRED = "49 x 223 x 3"
"""The size at which the bars of speed stand; at the others there is only the ratio."""


def disagreement_with_plain(pack: Pack, turns: int) -> tuple[float, float]:
    """Return how far posterior and gain are at most from plain Python's and from the definition."""
    ours, plain = Ours(pack), Plain(pack, temper=pack.knowledge.settings.temper)
    posteriors = [ours.posterior(turn) for turn in range(turns)]
    return (
        worst(posteriors, [plain.posterior(turn) for turn in range(turns)]),
        max(
            max(
                furthest(ours.gains(weights), plain.gains(weights.tolist())),
                furthest(ours.gains(weights), gains_by_definition(pack, weights)),
            )
            for weights in posteriors
        ),
    )


def compare(pack: Pack, effort: Effort) -> None:
    """Print how the others agree with ours on a pack, and how long each takes."""
    from ._peers import Pgmpy, PyAgrum

    ours, plain = Ours(pack), Plain(pack)
    others: dict[str, PyAgrum | Pgmpy | Plain] = {
        "pyAgrum": PyAgrum(pack),
        "pgmpy": Pgmpy(pack),
        "plain Python": plain,
    }
    turns = range(effort.slow_calls)
    posteriors = [ours.posterior(turn) for turn in turns]
    questions = [ours.most_informative(turn) for turn in turns]
    bars: list[Bar] = []
    rows: list[tuple[str, ...]] = []
    for name, other in others.items():
        off = worst(posteriors, [other.posterior(turn) for turn in turns])
        bars.append(Bar(f"posterior, largest difference from {name}'s", off, "at most", 1e-9))
        same = sum(other.next_question(turn) == questions[turn] for turn in turns)
        bars.append(Bar(f"same largest gain as {name}", same / len(turns), "at least", 1))
        for what, call, mine in (
            ("posterior", other.posterior, ours.posterior),
            ("next question", other.next_question, ours.next_question),
        ):
            ratio, seconds, own = versus(mine, call, effort)
            rows.append((what, name, in_words(own), in_words(seconds), f"{ratio:,.3g}"))
            if pack.name == BARRED and (what, name) in SPEED:
                label = f"{what}: {name} / ours"
                bars.append(Bar(label, ratio, "at least", SPEED[what, name]))
    bars.extend(_inner(pack, ours, posteriors, effort))
    step = alternating({"step": ours.step}, rounds=effort.rounds, each=effort.calls)
    rows.append(("next_step, rules and all", "nobody", in_words(step.seconds("step")), "", ""))
    head = ("what", "beside", "ours", "theirs", "theirs / ours")
    print()
    print(Table(f"{pack.name}: one call, evidence changed", head, tuple(rows)).markdown())
    print_bars(f"{pack.name}: bars", bars)


SPEED = {
    ("posterior", "pyAgrum"): 15.0,
    ("posterior", "pgmpy"): 200.0,
    ("next question", "pyAgrum"): 400.0,
    ("next question", "pgmpy"): 10_000.0,
}


def _inner(pack: Pack, ours: Ours, posteriors: Sequence[np.ndarray], effort: Effort) -> list[Bar]:
    """The gain of all features, beside the one product that it cannot do without and beside the
    textbook's way."""
    knowledge, table = pack.knowledge, pack.knowledge.tables.forecast
    count = len(posteriors)
    off = max(
        furthest(ours.gains(weights), gains_by_definition(pack, weights)) for weights in posteriors
    )
    bars = [Bar("gain, largest difference from its definition", off, "at most", 1e-12)]
    timings = alternating(
        {
            "ours": lambda turn: outlook_of(knowledge, posteriors[turn % count]).gains,
            "product": lambda turn: table @ posteriors[turn % count],
        },
        rounds=effort.rounds,
        each=effort.calls,
    )
    textbook, seconds, _ = versus(
        lambda turn: outlook_of(knowledge, posteriors[turn % count]).gains,
        lambda turn: gains_by_definition(pack, posteriors[turn % count]),
        effort,
    )
    if pack.name == BARRED:
        note = f"{in_words(timings.seconds('ours'))} against {in_words(timings.seconds('product'))}"
        product = timings.ratio("ours", "product")
        bars.append(Bar("gain of all features / bare product", product, "at most", 2, note))
        bars.append(
            Bar("gain by its definition / ours", textbook, "at least", 150, in_words(seconds))
        )
    return bars


def changes_bar(pack: Pack, effort: Effort) -> Bar:
    """How long it takes to find all that would change the advice, of half of the people: of the
    processor, since there is nothing to compare it with on which the same noise would fall."""
    people = len(pack.replies)
    calls = {"changes": Ours(pack).changes}
    wall, processor = by_two_clocks(calls, rounds=effort.rounds, each=people)
    what = "what would change the advice, seconds of the processor"
    note = f"{in_words(wall.seconds('changes'))} by the clock"
    return Bar(what, processor.seconds("changes"), "at most", MOST_SECONDS, note)


def main() -> None:
    parser = argparse.ArgumentParser(prog="dev.py bench engine", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=200, help="of what is fast, a round")
    parser.add_argument("--slow-calls", type=int, default=10, help="of what is not")
    given = parser.parse_args()
    effort = Effort(given.rounds, given.calls, given.slow_calls)
    print(f"# The engine and its peers\n\n{__doc__}")
    compare(drawn(20, 30, 4, people=50), effort)
    compare(drawn(49, 223, 3, people=50), effort)
    for topic, knowledge in shipped_topics().items():
        pack = shipped(topic, knowledge, people=50)
        compare(untempered(pack), effort)
        off = disagreement_with_plain(pack, len(pack.replies))
        print_bars(
            f"{topic}: bars at its own temper",
            [
                Bar("posterior, largest difference from plain Python's", off[0], "at most", 1e-9),
                Bar("gain, largest difference from plain Python's", off[1], "at most", 1e-9),
                changes_bar(pack, effort),
            ],
        )


if __name__ == "__main__":
    main()
