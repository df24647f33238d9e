"""Every reason why drafts are unfit to publish, each a sentence that staff can act on."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass

from triage.engine import NOT_SURE, Observation, Unsound, Urgency

from .calibration import knowledge_sha256, why_not
from .documents import compile_release
from .knowledge import Document, Fields, is_ranked, knowledge_from
from .models import Syndrome, Topic
from .paragraphs import named_in, paragraphs_of
from .places import PLACEHOLDER, british
from .plain_language import complaints_in, complaints_in_translation
from .syndromes import (
    Split,
    chances_of,
    likelihoods_of,
    members_of,
    signs_of,
    splits_of,
)
from .translations import gaps_in

LEAST_WITHOUT = 0.05
"""The share of an answer that must be left to people without the syndrome: nobody knows that
there are none, and one such answer would prove the syndrome."""

# The texts that a person or a reviewer reads; a release without one of them would show a gap.
TEXTS: Mapping[str, tuple[str, ...]] = {
    "conditions": (
        "name",
        "plain_name",
        "plain_summary",
        "how_found",
        "how_treated",
        "target_time",
        "document_paragraph",
    ),
    "features": (
        "name",
        "section",
        "text",
        "text_helper",
        "text_other",
        "why_we_ask",
        "purpose",
        "document_paragraph",
    ),
    "options": ("text", "document_paragraph"),
    "red_flags": ("title", "message", "plain_rule", "why_clinician", "document_paragraph"),
    "risk_groups": ("name",),
    "syndromes": (
        "name",
        "plain_name",
        "plain_name_absent",
        "explanation",
        "document_paragraph",
    ),
    "advice": ("heading", "what_to_do", "self_care", "safety_net", "do_not", "document_paragraph"),
    "glossary": ("term", "meaning", "document_paragraph"),
    "calibration_studies": ("studied",),
}
ONE = {
    "conditions": "condition",
    "features": "question",
    "options": "answer",
    "red_flags": "red flag",
    "risk_groups": "risk group",
    "syndromes": "syndrome",
    "advice": "advice",
    "calibration_studies": "calibration study",
}


@dataclass(frozen=True, slots=True)
class Fault:
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def find_faults(topic: Topic | None = None) -> list[Fault]:
    """Return every fault of a topic's drafts, or of all topics'."""
    topics = [topic] if topic else list(Topic.objects.all())
    if not topics:
        return [Fault("The content", "there is no topic. Load one: manage.py load_content.")]
    return [fault for each in topics for fault in faults_in(compile_release(each))]


def find_gaps(topic: Topic | None = None) -> list[Fault]:
    """Return what keeps each translation of a topic, or of all topics, from being offered."""
    topics = [topic] if topic else list(Topic.objects.all())
    return [fault for each in topics for fault in gaps_of(compile_release(each))]


def gaps_of(document: Document) -> Iterator[Fault]:
    for language in sorted({row["language"] for row in document["translations"]}):
        gaps = list(gaps_in(document, language))
        for gap in gaps:
            yield Fault(f"In “{language}”, {gap.place}", gap.what)
        if not gaps:
            for part, row, what in complaints_in_translation(document, language):
                yield Fault(f"In “{language}”: {_named(part, row)}", what)


def faults_of_syndrome(syndrome: Syndrome) -> list[Fault]:
    """Return the faults of one syndrome's numbers."""
    where = _named("syndromes", {"key": syndrome.key})
    return [f for f in _syndromes(compile_release(syndrome.topic)) if f.where == where]


def faults_in(document: Document) -> list[Fault]:
    """Return every fault of a compiled topic."""
    syndromes = list(_syndromes(document))
    return [
        *_texts(document),
        *_placeholders(document),
        *_places(document),
        *_topics(document),
        *_twice(document),
        *_lone_options(document),
        *_sources(document),
        *_ways_to_look(document),
        *_paragraphs(document),
        *_advice(document),
        *_plain_language(document),
        *_in_100(document),
        *syndromes,
        # A syndrome that contradicts itself would be refused again, in the engine's words.
        *_reasoning({**document, "syndromes": []} if syndromes else document),
    ]


def _named(part: str, row: Fields) -> str:
    if part == "topic":
        return "The topic"
    if part == "glossary":
        return f"The word “{row['term']}”"
    if part == "options":
        return f"The answer “{row['key']}” of “{row['feature'][1]}”"
    if part == "advice":
        return f"The advice for the {row['scope']} “{row['key']}”"
    return f"The {ONE[part]} “{row['key']}”"


def _rows(document: Document) -> Iterator[tuple[str, Fields]]:
    """Yield each row that holds texts, with what it is called in a sentence."""
    yield _named("topic", document["topic"]), document["topic"]
    for part in TEXTS:
        for row in document[part]:
            yield _named(part, row), row


def _texts(document: Document) -> Iterator[Fault]:
    for part, names in TEXTS.items():
        for row in document[part]:
            for name in names:
                if not row[name].strip():
                    yield Fault(_named(part, row), f"the field “{name}” is empty. Fill it in.")


def _placeholders(document: Document) -> Iterator[Fault]:
    names = british()
    known = ", ".join(f"{{{name}}}" for name in names)
    for where, row in _rows(document):
        for name, text in row.items():
            if not isinstance(text, str):
                continue
            for placeholder in PLACEHOLDER.findall(text):
                if placeholder not in names:
                    yield Fault(
                        where,
                        f"“{name}” has the placeholder {{{placeholder}}}, which nothing fills in."
                        f" Known are {known}.",
                    )
            if "{" in (rest := PLACEHOLDER.sub("", text)) or "}" in rest:
                yield Fault(where, f"“{name}” has a curly bracket without its pair.")


def _places(document: Document) -> Iterator[Fault]:
    """Two rows at one place would come in an order that nobody chose."""
    questions = Counter(row["order"] for row in document["features"])
    answers = Counter((row["feature"][1], row["order"]) for row in document["options"])
    for order in sorted(order for order, count in questions.items() if count > 1):
        names = [row["key"] for row in document["features"] if row["order"] == order]
        yield Fault("The order of the questions", f"{_listed(names)} share place {order}.")
    for feature, order in sorted(place for place, count in answers.items() if count > 1):
        names = [
            row["key"]
            for row in document["options"]
            if (row["feature"][1], row["order"]) == (feature, order)
        ]
        yield Fault(f"The answers of “{feature}”", f"{_listed(names)} share place {order}.")


def _listed(keys: list[str]) -> str:
    return " and ".join(f"“{key}”" for key in sorted(keys))


def _topics(document: Document) -> Iterator[Fault]:
    own = document["topic"]["key"]
    for row in document["likelihoods"]:
        if row["option"][0] != own:
            yield Fault(
                f"The likelihood of “{row['option'][1]}: {row['option'][2]}”",
                f"its condition “{row['condition'][1]}” is of this topic, its answer is of"
                f" “{row['option'][0]}”.",
            )
    for row in document["risk_groups"]:
        for topic, key in row["conditions"]:
            if topic != own:
                yield Fault(
                    _named("risk_groups", row), f"its condition “{key}” is of the topic “{topic}”."
                )


def _twice(document: Document) -> Iterator[Fault]:
    cells = Counter((row["condition"][1], *row["option"][1:]) for row in document["likelihoods"])
    for (condition, feature, option), count in cells.items():
        if count > 1:
            yield Fault(
                f"The likelihoods of “{condition}”",
                f"“{feature}: {option}” has {count} of them. Keep one.",
            )


def _lone_options(document: Document) -> Iterator[Fault]:
    multi = {row["key"] for row in document["features"] if row["kind"] == "multi"}
    for row in document["options"]:
        where = _named("options", row)
        if row["key"] == NOT_SURE and (row["scored"] or not row["exclusive"]):
            yield Fault(where, "“not sure” holds alone and has no likelihoods. Mark it so.")
        if row["exclusive"] and row["scored"] and row["feature"][1] in multi:
            yield Fault(where, "it holds alone, so it says no to the others: it is not scored.")
        if row["exclusive"] and row["alarm"]:
            yield Fault(where, "an answer that holds alone cannot be an alarm.")


def _sources(document: Document) -> Iterator[Fault]:
    for part in ("conditions", "red_flags", "risk_groups", "syndromes"):
        for row in document[part]:
            if not row["sources"]:
                yield Fault(_named(part, row), "it names no source. Add one.")


def _paragraphs(document: Document) -> Iterator[Fault]:
    """The pages of conditions quote what they name."""
    there = paragraphs_of(document["topic"]["source_document"])
    for row in document["conditions"]:
        for name in named_in(row["document_paragraph"]):
            if name not in there:
                yield Fault(
                    _named("conditions", row),
                    f"it names {name}, which the topic's source document does not have.",
                )


def _ways_to_look(document: Document) -> Iterator[Fault]:
    """Whoever looks at another's back is not asked about their own."""
    for row in document["features"]:
        if row["observe"] not in (Observation.NEEDS_EYES, Observation.NEEDS_HANDS):
            continue
        where = _named("features", row)
        given = [row[name].strip() for name in ("text", "text_helper", "text_other")]
        if all(given) and len(set(given)) < len(given):
            yield Fault(
                where,
                "it needs eyes or hands, but asks two people in the same words. Word it for each:"
                " the person, somebody with them, somebody who answers for them.",
            )
        if not row["help_text"].strip():
            yield Fault(
                where, "it needs eyes or hands, but no help text says how to look or feel. Add one."
            )


def _advice(document: Document) -> Iterator[Fault]:
    wanted = {("urgency", urgency.key) for urgency in Urgency}
    wanted |= {
        ("condition" if is_ranked(row) else "state", row["key"]) for row in document["conditions"]
    }
    wanted |= {("floor", row["key"]) for row in document["red_flags"] if row["kind"] == "floor"}
    given = {(row["scope"], row["key"]) for row in document["advice"]}
    for scope, key in sorted(wanted - given):
        yield Fault(f"The {scope} “{key}”", "there is no advice for it. Write some.")
    for scope, key in sorted(given - wanted):
        yield Fault(f"The advice for the {scope} “{key}”", f"there is no such {scope}.")


def _plain_language(document: Document) -> Iterator[Fault]:
    for part, row, what in complaints_in(document):
        yield Fault(_named(part, row), what)


def _in_100(document: Document) -> Iterator[Fault]:
    """A number that nobody has checked on people would look surer than the words."""
    if not document["topic"]["says_in_100"]:
        return
    knowledge = knowledge_sha256(document)
    reasons = [(row, [*why_not(row, knowledge)]) for row in document["calibration_studies"]]
    if all(against for _, against in reasons):
        yield Fault(
            "The topic",
            "it says “about N in 100”, but no calibration study shows that its numbers are right."
            " Add one that does, or take the tick away.",
        )
        for row, against in reasons:
            for what in against:
                yield Fault(_named("calibration_studies", row), f"it does not count: {what}")


def _syndromes(document: Document) -> Iterator[Fault]:
    own = document["topic"]["key"]
    likelihoods = likelihoods_of(document)
    ranked = {row["key"] for row in document["conditions"] if is_ranked(row)}
    scored = {(row["feature"][1], row["key"]) for row in document["options"] if row["scored"]}
    alarms = {(row["feature"][1], row["key"]) for row in document["options"] if row["alarm"]}
    for row in document["syndromes"]:
        where = _named("syndromes", row)
        for link in (*chances_of(row["key"], document).values(), *members_of(row["key"], document)):
            for name in ("condition", "option"):
                if link.get(name) and link[name][0] != own:
                    yield Fault(
                        where, f"its {name} “{link[name][-1]}” is of the topic “{link[name][0]}”."
                    )
        for what in _chances(row["key"], document, ranked):
            yield Fault(where, what)
        for what in _members(row["key"], document, ranked, scored):
            yield Fault(where, what)
        splits = list(splits_of(row["key"], document, likelihoods))
        for split in splits:
            if split.named and (what := _misfit(split)):
                yield Fault(where, what)
        for what in _others(splits, alarms):
            yield Fault(where, what)
    yield from _linked_twice(document)


def _chances(syndrome: str, document: Document, ranked: Set[str]) -> Iterator[str]:
    chances = chances_of(syndrome, document)
    for condition in sorted(ranked - set(chances)):
        yield f"nobody says how often “{condition}” brings it. Add the chance."
    for condition in sorted(set(chances) - ranked):
        yield f"it has a chance for “{condition}”, which is no ranked condition. Remove it."
    for condition, row in chances.items():
        if not 0 < row["probability"] < 1:
            yield f"its chance for “{condition}” is {row['probability']}: not between 0 and 1."


def _members(
    syndrome: str, document: Document, ranked: Set[str], scored: Set[tuple[str, str]]
) -> Iterator[str]:
    rows, signs = members_of(syndrome, document), signs_of(syndrome, document)
    general = {tuple(row["option"][1:]) for row in rows if row["condition"] is None}
    for row in rows:
        feature, option = row["option"][1:]
        if not 0 < row["probability"] < 1:
            yield f"its number for “{feature}: {option}” is {row['probability']}: not between 0 and 1."
        if row["condition"] is None:
            continue
        if (feature, option) not in general:
            yield (
                f"“{feature}: {option}” has a number for “{row['condition'][1]}” but none for"
                " the other conditions. Add one without a condition."
            )
        if row["condition"][1] not in ranked:
            yield f"it names “{row['condition'][1]}”, which is no ranked condition."
    for feature, options in signs.items():
        for option in options:
            if (feature, option) not in scored:
                yield f"“{feature}: {option}” has no likelihoods, so it cannot show the syndrome."
    multi = {row["key"] for row in document["features"] if row["kind"] == "multi"}
    if sum(len(signs[feature]) if feature in multi else 1 for feature in signs) < 2:
        yield "fewer than two findings show it, so there is nothing to link. Add another."
    for feature, options in signs.items():
        if feature not in multi and {pair for pair in scored if pair[0] == feature} <= {
            (feature, option) for option in options
        }:
            yield f"every answer of “{feature}” shows it. Leave out those that do not."


def _misfit(split: Split) -> str:
    """Return why the numbers of one answer cannot all be right, or nothing."""
    condition, feature, option = split.cell
    answer = f"“{feature}: {option}”"
    if split.present < split.likelihood:
        return (
            f"{_hundred(split.present)} in 100 who have it say {answer}, but"
            f" {_hundred(split.likelihood)} in 100 of all with “{condition}” do: having it would"
            " speak against what it shows. Raise the first."
        )
    most = (1 - LEAST_WITHOUT) * split.likelihood
    if not split.explained <= most:
        return (
            f"{_hundred(split.likelihood)} in 100 with “{condition}” say {answer}, but this"
            f" syndrome alone ({_hundred(split.chance)} in 100 of them, of whom"
            f" {_hundred(split.present)} in 100 do) would make it {_hundred(split.explained)},"
            f" where {_hundred(most)} is the most: lower one of the two."
        )
    return ""


def _others(splits: Iterable[Split], alarms: Set[tuple[str, str]]) -> Iterator[str]:
    """Yield what is wrong with the answers that share what the named ones leave."""
    told: set[str] = set()
    for split in splits:
        condition, feature, option = split.cell
        if split.named:
            continue
        if split.present <= 0 and feature not in told:
            told.add(feature)
            yield (
                f"the answers of “{feature}” that show it make 100 in 100 or more of those who"
                f" have it with “{condition}”. Leave some to the other answers."
            )
        if (feature, option) in alarms and option not in told:
            told.add(option)
            yield (
                f"the alarm “{feature}: {option}” is none of the answers that show it, so having it"
                " would speak against the alarm. Name the alarm too, or no answer of the question."
            )


def _hundred(probability: float) -> str:
    return f"{100 * probability:.3g}"


def _linked_twice(document: Document) -> Iterator[Fault]:
    multi = {row["key"] for row in document["features"] if row["kind"] == "multi"}
    owners: dict[str, set[str]] = {}
    for row in document["syndrome_members"]:
        _, feature, option = row["option"]
        variable = f"The answer “{option}” of “{feature}”"
        if feature not in multi:
            variable = f"The question “{feature}”"
        owners.setdefault(variable, set()).add(row["syndrome"][1])
    for variable, syndromes in owners.items():
        if len(syndromes) > 1:
            yield Fault(
                variable, f"it shows {_listed(list(syndromes))}, but may show one syndrome only."
            )


def _reasoning(document: Document) -> Iterator[Fault]:
    """What the engine itself refuses."""
    try:
        knowledge_from(document)
    except Unsound as unsound:
        for sentence in unsound.faults:
            yield Fault("The reasoning", sentence)
