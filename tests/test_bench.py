"""The benchmarks measure what they say, in sizes too small to time anything."""

from collections.abc import Iterator
from itertools import combinations, pairwise, product
from typing import Any

import pytest
from django.core.wsgi import get_wsgi_application

from bench._bars import Bar, print_bars
from bench._clock import Timings, alternating
from bench._hindsight import fewest_replies
from bench._ours import Ours
from bench._packs import Pack, drawn, shipped, tempered, untempered
from bench._people import interviews, kept, one_by_one, real_answers
from bench._plain import Plain
from bench._requests import Request, send
from bench._topics import shipped_topics
from bench.answer import as_text
from bench.engine import disagreement_with_plain
from bench.interview import walk_all, with_stops
from bench.lighthouse.__main__ import BARS, METRICS, verdict
from bench.page import Files, visit
from triage.engine import (
    Chosen,
    Condition,
    ConditionKey,
    Evidence,
    Feature,
    FeatureKey,
    Kind,
    Knowledge,
    Likelihood,
    Number,
    Option,
    OptionKey,
    Reply,
    Rule,
    RuleKey,
    RuleKind,
    Urgency,
)
from triage.engine.standing import Standing
from triage.engine.verdicts import FALSE
from triage.evaluation.interviews import interview


@pytest.fixture(scope="module")
def back_lump() -> Pack:
    return shipped("back-lump", shipped_topics()["back-lump"], people=15)


def test_plain_python_agrees_with_the_engine_on_a_drawn_pack() -> None:
    pack = drawn(7, 12, 3, people=10)

    assert max(disagreement_with_plain(pack, 10)) < 1e-9


def test_plain_python_agrees_with_the_engine_on_the_shipped_content(back_lump: Pack) -> None:
    for temper in (0.65, 1.0):
        assert max(disagreement_with_plain(tempered(back_lump, temper), 15)) < 1e-9


def test_plain_python_finds_the_same_largest_gain(back_lump: Pack) -> None:
    pack = untempered(back_lump)
    ours, plain = Ours(pack), Plain(pack)

    asked = [ours.most_informative(turn) for turn in range(15)]

    assert asked == [plain.next_question(turn) for turn in range(15)]
    assert len(set(asked)) > 1


def test_whoever_is_timed_has_always_something_to_ask(back_lump: Pack) -> None:
    pack = untempered(back_lump)
    ours = Ours(pack)

    for turn in range(len(pack.replies)):
        assert ours.next_question(turn) in pack.open[turn]


def test_everybody_in_a_pack_differs_from_the_one_before(back_lump: Pack) -> None:
    for pack in (back_lump, drawn(7, 12, 3, people=10)):
        people = pack.replies
        assert all(one != other for one, other in pairwise(people))
        assert {len(person) for person in people} == {10}


def test_calls_alternate_and_each_is_told_its_turn() -> None:
    seen: list[tuple[str, int]] = []

    timings = alternating(
        {"a": lambda turn: seen.append(("a", turn)), "b": lambda turn: seen.append(("b", turn))},
        rounds=2,
        each=2,
    )

    assert seen == [(name, turn) for turn in range(4) for name in "ab"]
    assert len(timings.rounds["a"]) == len(timings.rounds["b"]) == 2


def test_a_ratio_is_the_median_of_the_ratios_within_each_round() -> None:
    timings = Timings({"a": (2.0, 40.0, 9.0), "b": (1.0, 10.0, 3.0)})

    assert timings.ratio("a", "b") == 3.0


def test_what_falls_short_of_its_bar_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    print_bars(
        "bars",
        [
            Bar("faster", 3, "at least", 4),
            Bar("smaller", 3, "at most", 4),
            Bar("slower", 5, "at most", 4),
        ],
    )

    assert capsys.readouterr().out.endswith("Short of the bar: faster; slower.\n")


def test_a_walk_ends_where_the_interview_with_its_thresholds_does(back_lump: Pack) -> None:
    crowd = walk_all(back_lump.knowledge, people=6, seed=3, declines=0.1)
    early = with_stops(back_lump.knowledge, gain_stop=0.3, lead_stop=0.5)

    for walk in crowd.walks:
        for knowledge in (back_lump.knowledge, early):
            run, end = interview(knowledge, walk.case.evidence), walk.end(knowledge)
            assert (run.asked, run.urgency) == (end.asked, walk.disposition(end).urgency)


def test_hindsight_finds_the_fewest_replies_that_prove_the_urgency() -> None:
    knowledge = gated_topic()
    people = list(everybody(knowledge))

    found = [fewest_replies(knowledge, person).count for person in people]

    assert found == [by_trying(knowledge, person) for person in people]
    assert set(found) == {1, 2, 3, 4, 5}


def test_no_interview_is_shorter_than_with_hindsight(back_lump: Pack) -> None:
    crowd = walk_all(back_lump.knowledge, people=20, seed=5, declines=0.2)

    assert all(few <= asked for few, asked in zip(crowd.hindsight, crowd.asked, strict=True))


@pytest.mark.django_db(transaction=True)  # each request ends by looking after its connection
def test_the_answers_that_are_timed_are_real_ones() -> None:
    checker = get_wsgi_application()
    people = [real_answers(said) for said in interviews(2)]

    responses = [send(checker, request.environ()) for request in one_by_one(people)]

    assert {response.status for response in responses} == {200}
    assert kept() == len(responses) == sum(map(len, people)) > 20


def test_everybody_answers_once_before_anybody_answers_again() -> None:
    one, other = [Request("/a/1"), Request("/a/2")], [Request("/b/1")]

    assert [r.path for r in one_by_one([one, other])] == ["/a/1", "/b/1", "/a/2"]


def test_a_request_is_the_same_with_sockets_and_without() -> None:
    request = Request("/check/1", fields=(("reply", "a b"),), cookies={"csrf": "c"}, htmx=True)

    text, environ = as_text(request, 8000), request.environ()

    assert text.startswith("POST /check/1 HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n")
    assert text.endswith("\r\nContent-Length: 9\r\n\r\nreply=a+b")
    assert environ["wsgi.input"].read() == b"reply=a+b"
    assert environ["HTTP_COOKIE"] == "csrf=c"
    assert "Cookie: csrf=c\r\n" in text


def test_a_page_weighs_what_it_brings_with_it() -> None:
    files = {
        "/": b"<link rel=stylesheet href=/a.css><script src=/b.js></script><img src=data:,>"
        b"<img src=https://elsewhere.example/c.png>",
        "/a.css": b"a { background: url('d.svg') }",
        "/b.js": b"1",
        "/d.svg": b"<svg/>",
    }

    def application(environ: dict[str, str], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [files[environ["PATH_INFO"]]]

    seen = visit(application, "page", Request("/"))

    assert seen.total == sum(map(len, files.values()))
    assert seen.blocking == len(files["/"]) + len(files["/a.css"])
    assert seen.elsewhere == ("https://elsewhere.example/c.png",)
    assert [bar.is_met for bar in seen.bars()] == [True, True, False]


def test_icons_are_counted_and_links_to_other_pages_are_not() -> None:
    files = Files('<link rel="icon" href="/i.svg"><link rel="next" href="/2"><a href="/3">3</a>')

    assert (files.styles, files.others) == ([], ["/i.svg"])


def gated_topic() -> Knowledge:
    """Two questions that are asked of some only, and rules that hang on them."""

    def feature(key: str, kind: Kind, options: str, asked_if: str = "") -> Feature:
        scored = key == "age"
        return Feature(
            FeatureKey(key),
            kind,
            tuple(Option(OptionKey(option), scored=scored) for option in options.split()),
            asked_if=asked_if,
            low=0 if kind is Kind.NUMBER else None,
            high=10 if kind is Kind.NUMBER else None,
        )

    conditions = [
        Condition(ConditionKey("one"), 0.5, Urgency.ROUTINE),
        Condition(ConditionKey("other"), 0.5, Urgency.ROUTINE),
    ]
    features = [
        feature("lump", Kind.SINGLE, "yes no"),
        feature("feel", Kind.SINGLE, "hard soft", asked_if="lump == 'yes'"),
        feature("signs", Kind.MULTI, "red hot"),
        feature("pulse", Kind.SINGLE, "fast slow", asked_if="'hot' in signs"),
        feature("pain", Kind.NUMBER, "any"),
        feature("age", Kind.SINGLE, "young old"),
    ]
    texts = {
        Urgency.EMERGENCY_NOW: "pulse == 'fast' and pain >= 7",
        Urgency.SAME_DAY: "feel == 'hard' and ('red' in signs or age == 'old')",
        Urgency.ROUTINE: "lump == 'yes' and pain >= 3",
    }
    return Knowledge(
        conditions=conditions,
        features=features,
        rules=[
            Rule(RuleKey(urgency.key), RuleKind.RED_FLAG, urgency, text)
            for urgency, text in texts.items()
        ],
        likelihoods={
            (condition.key, FeatureKey("age"), OptionKey(option)): Likelihood(0.5)
            for condition in conditions
            for option in ("young", "old")
        },
    )


def everybody(knowledge: Knowledge) -> Iterator[Evidence]:
    """Everybody who can be told apart by the rules."""
    choices: list[list[Reply]] = []
    for feature in knowledge.features:
        keys = [option.key for option in feature.options]
        match feature.kind:
            case Kind.SINGLE:
                choices.append([Chosen(frozenset({key})) for key in keys])
            case Kind.MULTI:
                sets = [some for count in (1, 2) for some in combinations(keys, count)]
                choices.append([Chosen(frozenset(some)) for some in sets])
            case Kind.NUMBER:
                choices.append([Number(2), Number(5), Number(8)])
    for replies in product(*choices):
        whole = Evidence((f.key, r) for f, r in zip(knowledge.features, replies, strict=True))
        standing = Standing(knowledge, whole)
        yield Evidence((key, reply) for key, reply in whole if standing.applies(key))


def by_trying(knowledge: Knowledge, person: Evidence) -> int:
    """Try every set of replies, the smallest first."""
    unknown = frozenset(f.key for f in knowledge.features if f.key not in person)
    rules = [rule.urgency for rule in Standing(knowledge, person, unknown).fired()]
    reached = max(rules, default=Urgency.SELF_CARE)
    for count in range(len(person) + 1):
        for some in combinations(person, count):
            standing = Standing(knowledge, Evidence(some), unknown)
            proved = reached in {*(r.urgency for r in standing.fired()), Urgency.SELF_CARE}
            higher = [rule for rule in knowledge.rules if rule.urgency > reached]
            if (
                proved
                and all(standing.verdicts[rule.key] is FALSE for rule in higher)
                and all(standing.applies(key) for key, _ in some)
            ):
                return count
    raise AssertionError("all replies together prove it")


def report(performance: float, *, contrast: float) -> dict[str, Any]:
    """A report of Lighthouse's, cut down to what is read from it."""
    categories: dict[str, Any] = {name: {"score": 1, "auditRefs": []} for name in BARS}
    categories["performance"]["score"] = performance
    categories["accessibility"] |= {
        "score": contrast,
        "auditRefs": [{"id": "contrast", "weight": 7}, {"id": "manual", "weight": 0}],
    }
    audits: dict[str, Any] = {key: {"id": key, "score": 1, "numericValue": 1200} for key in METRICS}
    place = {"node": {"snippet": '<p class="pale">'}}
    audits["contrast"] = {
        "id": "contrast",
        "title": "Too pale",
        "score": contrast,
        "details": {"items": [place]},
    }
    audits["manual"] = {"id": "manual", "title": "Look yourself", "score": None}
    return {"categories": categories, "audits": audits}


def test_the_median_of_lighthouse_counts_and_each_fault_is_named_where_it_is() -> None:
    seen = verdict(
        "outcome",
        [report(0.97, contrast=1), report(1, contrast=1), report(0.98, contrast=0.5)],
    )

    assert seen.shares == {"accessibility": 100, "best-practices": 100, "performance": 98}
    assert all(bar.is_met for bar in seen.bars())
    assert seen.failing == ('accessibility, contrast: Too pale | <p class="pale">',)
    assert "first paint 1.2 s" in seen.note


def test_a_page_short_of_a_bar_of_lighthouses_is_not_passed() -> None:
    seen = verdict("outcome", [report(0.97, contrast=0.99)])

    assert [bar.is_met for bar in seen.bars()] == [False, True, False]
