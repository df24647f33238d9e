"""Every reason why drafts are unfit to publish, and what else to look at, each a sentence that
staff can act on, with the place where they can."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

from triage.engine import NOT_SURE, Knowledge, Observation, Unsound, Urgency
from triage.engine import Fault as EngineFault

from . import analyses, leading
from .calibration import knowledge_sha256, why_not
from .choices import Basis
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
from .translations import gaps_in, place_of

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


NUMBERS = {
    "likelihoods": ("condition", "option"),
    "syndrome_chances": ("syndrome", "condition"),
    "syndrome_members": ("syndrome", "option", "condition"),
}
"""The rows that hold a number, and what names them."""

REASONING = "The reasoning"

MANY = {
    "conditions": "conditions",
    "features": "questions",
    "red_flags": "red flags and other rules",
    "risk_groups": "risk groups",
    "syndromes": "syndromes",
    "advice": "advice",
}
"""The rows that are reviewed, each with all of its texts and numbers."""

NAMED_AT_MOST = 3

# What the engine calls a part or a field, and what the content calls it.
PARTS = {"rules": "red_flags", "groups": "risk_groups", "settings": "topic"}
FIELDS = {"text": "rule", "prior": "prior_percent", "raise_at": "raise_at_percent"}


class Place(NamedTuple):
    """Where something can be mended: a row of the content, and a field of it.

    part   of the compiled topic, such as “options”
    key    of the row as its fixtures name it, without the topic; as much of it as is known: none
           for all rows of the part, a condition and a feature for a row of likelihoods
    field  of that row, or none
    """

    part: str
    key: tuple[str, ...] = ()
    field: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Without `blocks` it is a notice, which keeps nobody from publishing. `link` is the address of
    the field, once `addresses.linked` has looked it up."""

    where: str
    what: str
    link: str = field(default="", compare=False)
    blocks: bool = True
    place: Place | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def find_faults(topic: Topic | None = None) -> list[Fault]:
    """Return every fault that keeps a topic's drafts, or all topics', from being published."""
    topics = [topic] if topic else list(Topic.objects.all())
    if not topics:
        return [Fault("The content", "there is no topic. Load one: manage.py load_content.")]
    return [fault for each in topics for fault in faults_in(compile_release(each))]


def find_notices(topic: Topic, today: date) -> list[Fault]:
    """Return what else there is to look at in a topic's drafts."""
    return notices_in(compile_release(topic), today)


def find_gaps(topic: Topic | None = None) -> list[Fault]:
    """Return what keeps each translation of a topic, or of all topics, from being offered."""
    topics = [topic] if topic else list(Topic.objects.all())
    return [fault for each in topics for fault in gaps_of(compile_release(each))]


def gaps_of(document: Document) -> Iterator[Fault]:
    for language in sorted({row["language"] for row in document["translations"]}):
        gaps = list(gaps_in(document, language))
        for gap in gaps:
            where = f"In “{language}”, {gap.place}"
            place = Place("translations", (language, gap.place), "text")
            yield Fault(where, gap.what, blocks=False, place=place)
        if not gaps:
            for part, row, name, what in complaints_in_translation(document, language):
                where = f"In “{language}”: {_named(part, row)}"
                key = language, _translated_at(document, language, part, row, name)
                place = Place("translations", key, "text")
                yield Fault(where, what, blocks=False, place=place)


def _translated_at(document: Document, language: str, part: str, row: Fields, name: str) -> str:
    """Return the place of a translated text. What it stands at is named in English."""
    if part != "glossary":
        return place_of(part, row, name or "text")
    words = {
        each["text"]: each["place"].removesuffix("/term")
        for each in document["translations"]
        if each["language"] == language and each["place"].endswith("/term")
    }
    return f"{words.get(row['term'], 'glossary')}/{name}"


def faults_of_syndrome(syndrome: Syndrome) -> list[Fault]:
    """Return the faults of one syndrome's numbers."""
    where = _named("syndromes", {"key": syndrome.key})
    return [f for f in _syndromes(compile_release(syndrome.topic)) if f.where == where]


def faults_in(document: Document) -> list[Fault]:
    """Return every fault that keeps a compiled topic from being published."""
    return _Looked(document).faults()


def notices_in(document: Document, today: date) -> list[Fault]:
    """Return what else there is to look at. Of a topic that cannot be reasoned with it is not said
    what its rules and conditions can do."""
    return _Looked(document).notices(today)


def all_in(document: Document, today: date) -> list[Fault]:
    """Return both, in one go: those that block first."""
    looked = _Looked(document)
    return [*looked.faults(), *looked.notices(today)]


class _Looked:
    """A compiled topic, and the knowledge that it makes, if it makes any."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.syndromes = list(_syndromes(document))
        # A syndrome that contradicts itself would be refused again, in the engine's words.
        whole = {**document, "syndromes": []} if self.syndromes else document
        self.knowledge, self.refused = _reasoning(whole)

    def faults(self) -> list[Fault]:
        return [
            *_texts(self.document),
            *_placeholders(self.document),
            *_places(self.document),
            *_topics(self.document),
            *_twice(self.document),
            *_lone_options(self.document),
            *_sources(self.document),
            *_ways_to_look(self.document),
            *_paragraphs(self.document),
            *_advice(self.document),
            *_plain_language(self.document),
            *_in_100(self.document),
            *self.syndromes,
            *self.refused,
            *(_never(self.knowledge) if self.knowledge else ()),
        ]

    def notices(self, today: date) -> list[Fault]:
        return [
            *_reviews(self.document, today),
            *(_rules(self.knowledge) if self.knowledge else ()),
            *(_unneeded(self.knowledge) if self.knowledge else ()),
            # Without its syndromes other conditions would lead.
            *(_leads(self.knowledge) if self.knowledge and not self.syndromes else ()),
            *gaps_of(self.document),
        ]


def _fault(part: str, row: Fields, what: str, name: str = "", *, blocks: bool = True) -> Fault:
    return Fault(_named(part, row), what, blocks=blocks, place=Place(part, _key(part, row), name))


def _key(part: str, row: Fields) -> tuple[str, ...]:
    if part == "glossary":
        return (row["term"],)
    if part == "options":
        return row["feature"][1], row["key"]
    if part == "advice":
        return row["scope"], row["key"]
    return (row["key"],)


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
    """Yield each row that holds texts, with its part."""
    yield "topic", document["topic"]
    for part in TEXTS:
        for row in document[part]:
            yield part, row


def _texts(document: Document) -> Iterator[Fault]:
    for part, names in TEXTS.items():
        for row in document[part]:
            for name in names:
                if not row[name].strip():
                    what = f"the field “{name}” is empty. Fill it in."
                    yield _fault(part, row, what, name)


def _placeholders(document: Document) -> Iterator[Fault]:
    names = british()
    known = ", ".join(f"{{{name}}}" for name in names)
    for part, row in _rows(document):
        for name, text in row.items():
            if not isinstance(text, str):
                continue
            for placeholder in PLACEHOLDER.findall(text):
                if placeholder not in names:
                    what = (
                        f"“{name}” has the placeholder {{{placeholder}}}, which nothing fills in."
                        f" Known are {known}."
                    )
                    yield _fault(part, row, what, name)
            if "{" in (rest := PLACEHOLDER.sub("", text)) or "}" in rest:
                what = f"“{name}” has a curly bracket without its pair."
                yield _fault(part, row, what, name)


def _places(document: Document) -> Iterator[Fault]:
    """Two rows at one place would come in an order that nobody chose."""
    questions = Counter(row["order"] for row in document["features"])
    answers = Counter((row["feature"][1], row["order"]) for row in document["options"])
    for order in sorted(order for order, count in questions.items() if count > 1):
        names = [row["key"] for row in document["features"] if row["order"] == order]
        yield Fault(
            "The order of the questions",
            f"{_listed(names)} share place {order}.",
            place=Place("features", (max(names),), "order"),
        )
    for feature, order in sorted(place for place, count in answers.items() if count > 1):
        names = [
            row["key"]
            for row in document["options"]
            if (row["feature"][1], row["order"]) == (feature, order)
        ]
        yield Fault(
            f"The answers of “{feature}”",
            f"{_listed(names)} share place {order}.",
            place=Place("options", (feature, max(names)), "order"),
        )


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
                place=Place("likelihoods", (row["condition"][1], *row["option"][1:]), "option"),
            )
    for row in document["risk_groups"]:
        for topic, key in row["conditions"]:
            if topic != own:
                what = f"its condition “{key}” is of the topic “{topic}”."
                yield _fault("risk_groups", row, what, "conditions")


def _twice(document: Document) -> Iterator[Fault]:
    cells = Counter((row["condition"][1], *row["option"][1:]) for row in document["likelihoods"])
    for (condition, feature, option), count in cells.items():
        if count > 1:
            yield Fault(
                f"The likelihoods of “{condition}”",
                f"“{feature}: {option}” has {count} of them. Keep one.",
                place=Place("likelihoods", (condition, feature, option)),
            )


def _lone_options(document: Document) -> Iterator[Fault]:
    multi = {row["key"] for row in document["features"] if row["kind"] == "multi"}
    for row in document["options"]:
        if row["key"] == NOT_SURE and (row["scored"] or not row["exclusive"]):
            what = "“not sure” holds alone and has no likelihoods. Mark it so."
            yield _fault("options", row, what, "scored" if row["scored"] else "exclusive")
        if row["exclusive"] and row["scored"] and row["feature"][1] in multi:
            what = "it holds alone, so it says no to the others: it is not scored."
            yield _fault("options", row, what, "scored")
        if row["exclusive"] and row["alarm"]:
            yield _fault("options", row, "an answer that holds alone cannot be an alarm.", "alarm")


def _sources(document: Document) -> Iterator[Fault]:
    for part in ("conditions", "red_flags", "risk_groups", "syndromes"):
        for row in document[part]:
            if not row["sources"]:
                yield _fault(part, row, "it names no source. Add one.", "sources")
    for part in NUMBERS:
        for row in document[part]:
            if row["basis"] != Basis.ESTIMATE and not row["source"]:
                key = tuple(_number_key(part, row))
                yield Fault(
                    f"The number of “{'” / “'.join(key)}”",
                    f"it is from a {row['basis']}, but names no source. Add one, or call it an"
                    " estimate.",
                    place=Place(part, key, "source"),
                )


def _number_key(part: str, row: Fields) -> Iterator[str]:
    for name in NUMBERS[part]:
        yield from (row[name] or ())[1:]


def _paragraphs(document: Document) -> Iterator[Fault]:
    """The pages of conditions quote what they name."""
    there = paragraphs_of(document["topic"]["source_document"])
    for row in document["conditions"]:
        for name in named_in(row["document_paragraph"]):
            if name not in there:
                what = f"it names {name}, which the topic's source document does not have."
                yield _fault("conditions", row, what, "document_paragraph")


def _ways_to_look(document: Document) -> Iterator[Fault]:
    """Whoever looks at another's back is not asked about their own."""
    for row in document["features"]:
        if row["observe"] not in (Observation.NEEDS_EYES, Observation.NEEDS_HANDS):
            continue
        texts = ("text", "text_helper", "text_other")
        given = [row[name].strip() for name in texts]
        if all(given) and len(set(given)) < len(given):
            what = (
                "it needs eyes or hands, but asks two people in the same words. Word it for each:"
                " the person, somebody with them, somebody who answers for them."
            )
            again = next(n for n, text in enumerate(given) if text in given[:n])
            yield _fault("features", row, what, texts[again])
        if not row["help_text"].strip():
            what = "it needs eyes or hands, but no help text says how to look or feel. Add one."
            yield _fault("features", row, what, "help_text")


def _advice(document: Document) -> Iterator[Fault]:
    wanted = {("urgency", urgency.key) for urgency in Urgency}
    wanted |= {
        ("condition" if is_ranked(row) else "state", row["key"]) for row in document["conditions"]
    }
    wanted |= {("floor", row["key"]) for row in document["red_flags"] if row["kind"] == "floor"}
    given = {(row["scope"], row["key"]) for row in document["advice"]}
    for scope, key in sorted(wanted - given):
        place = Place("advice", (scope, key), "what_to_do")
        what = "there is no advice for it. Write some."
        yield Fault(f"The {scope} “{key}”", what, place=place)
    for scope, key in sorted(given - wanted):
        row = {"scope": scope, "key": key}
        yield _fault("advice", row, f"there is no such {scope}.", "key")


def _plain_language(document: Document) -> Iterator[Fault]:
    for part, row, name, what in complaints_in(document):
        fault = _fault(part, row, what, name)
        yield fault if name else replace(fault, place=Place("options", (row["key"],)))


def _in_100(document: Document) -> Iterator[Fault]:
    """A number that nobody has checked on people would look surer than the words."""
    if not document["topic"]["says_in_100"]:
        return
    knowledge = knowledge_sha256(document)
    reasons = [(row, [*why_not(row, knowledge)]) for row in document["calibration_studies"]]
    if all(against for _, against in reasons):
        what = (
            "it says “about N in 100”, but no calibration study shows that its numbers are right."
            " Add one that does, or take the tick away."
        )
        yield _fault("topic", document["topic"], what, "says_in_100")
        for row, against in reasons:
            for what in against:
                yield _fault("calibration_studies", row, f"it does not count: {what}")


def _syndromes(document: Document) -> Iterator[Fault]:
    own = document["topic"]["key"]
    likelihoods = likelihoods_of(document)
    ranked = {row["key"] for row in document["conditions"] if is_ranked(row)}
    scored = {(row["feature"][1], row["key"]) for row in document["options"] if row["scored"]}
    alarms = {(row["feature"][1], row["key"]) for row in document["options"] if row["alarm"]}
    for row in document["syndromes"]:
        key = row["key"]
        for part, links in (
            ("syndrome_chances", chances_of(key, document).values()),
            ("syndrome_members", members_of(key, document)),
        ):
            for link in links:
                for name in ("condition", "option"):
                    if link.get(name) and link[name][0] != own:
                        what = f"its {name} “{link[name][-1]}” is of the topic “{link[name][0]}”."
                        place = Place(part, tuple(_number_key(part, link)), name)
                        yield replace(_fault("syndromes", row, what), place=place)
        for what, place in (
            *_chances(key, document, ranked),
            *_members(key, document, ranked, scored),
        ):
            yield replace(_fault("syndromes", row, what), place=place)
        splits = list(splits_of(key, document, likelihoods))
        for split in splits:
            if split.named and (what := _misfit(split)):
                place = Place("syndrome_members", (key, *split.cell[1:]), "probability")
                yield replace(_fault("syndromes", row, what), place=place)
        for what in _others(splits, alarms):
            yield _fault("syndromes", row, what)
    yield from _linked_twice(document)


def _chances(syndrome: str, document: Document, ranked: Set[str]) -> Iterator[tuple[str, Place]]:
    chances = chances_of(syndrome, document)

    def place(condition: str, name: str) -> Place:
        return Place("syndrome_chances", (syndrome, condition), name)

    for condition in sorted(ranked - set(chances)):
        what = f"nobody says how often “{condition}” brings it. Add the chance."
        yield what, place(condition, "probability")
    for condition in sorted(set(chances) - ranked):
        what = f"it has a chance for “{condition}”, which is no ranked condition. Remove it."
        yield what, place(condition, "condition")
    for condition, row in chances.items():
        if not 0 < row["probability"] < 1:
            what = f"its chance for “{condition}” is {row['probability']}: not between 0 and 1."
            yield what, place(condition, "probability")


def _members(
    syndrome: str, document: Document, ranked: Set[str], scored: Set[tuple[str, str]]
) -> Iterator[tuple[str, Place]]:
    rows, signs = members_of(syndrome, document), signs_of(syndrome, document)
    general = {tuple(row["option"][1:]) for row in rows if row["condition"] is None}
    part = "syndrome_members"
    for row in rows:
        key = tuple(_number_key(part, row))
        feature, option = row["option"][1:]
        number = row["probability"]
        if not 0 < number < 1:
            what = f"its number for “{feature}: {option}” is {number}: not between 0 and 1."
            yield what, Place(part, key, "probability")
        if row["condition"] is None:
            continue
        if (feature, option) not in general:
            what = (
                f"“{feature}: {option}” has a number for “{row['condition'][1]}” but none for"
                " the other conditions. Add one without a condition."
            )
            yield what, Place(part, key, "condition")
        if row["condition"][1] not in ranked:
            what = f"it names “{row['condition'][1]}”, which is no ranked condition."
            yield what, Place(part, key, "condition")
    for feature, options in signs.items():
        for option in options:
            if (feature, option) not in scored:
                what = f"“{feature}: {option}” has no likelihoods, so it cannot show the syndrome."
                yield what, Place(part, (syndrome, feature, option), "option")
    multi = {row["key"] for row in document["features"] if row["kind"] == "multi"}
    if sum(len(signs[feature]) if feature in multi else 1 for feature in signs) < 2:
        what = "fewer than two findings show it, so there is nothing to link. Add another."
        yield what, Place(part, (syndrome,))
    for feature, options in signs.items():
        if feature not in multi and {pair for pair in scored if pair[0] == feature} <= {
            (feature, option) for option in options
        }:
            what = f"every answer of “{feature}” shows it. Leave out those that do not."
            yield what, Place(part, (syndrome, feature, options[-1]), "option")


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
    owners: dict[str, dict[str, Place]] = {}
    for row in document["syndrome_members"]:
        _, feature, option = row["option"]
        variable = f"The answer “{option}” of “{feature}”"
        if feature not in multi:
            variable = f"The question “{feature}”"
        syndrome = row["syndrome"][1]
        place = Place("syndrome_members", (syndrome, feature, option), "option")
        owners.setdefault(variable, {}).setdefault(syndrome, place)
    for variable, places in owners.items():
        if len(places) > 1:
            what = f"it shows {_listed([*places])}, but may show one syndrome only."
            yield Fault(variable, what, place=places[max(places)])


# What only shows once the topic is compiled


def _reasoning(document: Document) -> tuple[Knowledge | None, list[Fault]]:
    """Return the engine's knowledge, or else why it refuses."""
    try:
        return knowledge_from(document), []
    except Unsound as unsound:
        topic = document["topic"]["key"]
        return None, [
            Fault(REASONING, str(fault), place=_place_of(fault, topic)) for fault in unsound.faults
        ]


def _place_of(fault: EngineFault, topic: str) -> Place:
    part = PARTS.get(fault.part, fault.part)
    key = (topic,) if part == "topic" else fault.keys
    return Place(part, key, FIELDS.get(fault.field, fault.field))


def _never(knowledge: Knowledge) -> Iterator[Fault]:
    """What can never happen, though somebody wrote that it should."""
    for key in analyses.never_firing(knowledge):
        what = (
            "it fires only for somebody who skips a question that cannot be skipped, so for nobody."
            " Change the rule."
        )
        yield _fault("red_flags", {"key": key}, what, "rule")
    for feature, rule in analyses.unreachable(knowledge):
        why = "no answers to the questions before it make that true."
        if rule:
            why = f"whenever that is so, the red flag “{rule}” has ended the questions before."
        what = f"it is never asked. It is asked only if a condition holds, and {why} Change it."
        yield _fault("features", {"key": feature}, what, "asked_if")


def _rules(knowledge: Knowledge) -> Iterator[Fault]:
    for key, other in analyses.implied(knowledge):
        more = knowledge.rule(other).urgency > knowledge.rule(key).urgency
        what = (
            f"whenever it fires, “{other}” fires as well, which is"
            f" {'more urgent' if more else 'as urgent'}: it never decides how soon somebody is"
            " seen, it only adds its message."
        )
        yield _fault("red_flags", {"key": key}, what, "rule", blocks=False)


def _unneeded(knowledge: Knowledge) -> Iterator[Fault]:
    for key in analyses.unneeded(knowledge):
        what = (
            "its answers change nothing: no rule and no other question reads them, and they are as"
            " likely with one condition as with the next."
        )
        yield _fault("features", {"key": key}, what, blocks=False)


def _leads(knowledge: Knowledge) -> Iterator[Fault]:
    leads = leading.leads(knowledge)

    def notice(key: str, what: str) -> Fault:
        return _fault("conditions", {"key": key}, what, "prior_percent", blocks=False)

    for key, rival in leads.never.items():
        yield notice(key, f"it never comes first: whatever is answered, “{rival}” is likelier.")
    for key in leads.unseen:
        yield notice(
            key,
            "no answers were found with which it comes first. That there are none is not proved:"
            " those that speak most for it were tried, and from there each answer by itself.",
        )
    if leads.always:
        yield notice(leads.always, "it comes first whatever is answered.")
    if leads.mostly:
        key, count = leads.mostly
        yield notice(
            key,
            f"it comes first with {count} of {leading.WALKS} sets of answers drawn by chance, the"
            f" same each time; more than {leading.MOST_LED:.0%} is too often to tell anything.",
        )


# Reviews


def _reviews(document: Document, today: date) -> Iterator[Fault]:
    latest: dict[str, Fields] = {}
    for row in document.get("reviews", []):
        latest[row["place"]] = max(
            row, latest.get(row["place"], row), key=lambda each: str(each["reviewed_on"])
        )
    for part in MANY:
        unseen = []
        for row in document[part]:
            place = "/".join((part, *_key(part, row)))
            last = latest.pop(place, None)
            if last is None:
                unseen.append((place, "/".join(_key(part, row))))
            elif date.fromisoformat(str(last["due_on"])) < today:
                what = (
                    f"it was to be reviewed again by {last['due_on']}; the last review is of"
                    f" {last['reviewed_on']}, by {last['reviewer']}."
                )
                fault = _fault(part, row, what, blocks=False)
                yield replace(fault, place=Place("reviews", (place,), "reviewed_on"))
        if unseen:
            names = [f"“{name}”" for _, name in unseen[:NAMED_AT_MOST]]
            if more := len(unseen) - len(names):
                names.append(f"{more} more")
            yield Fault(
                f"Reviews of {MANY[part]}",
                f"{len(unseen)} of {len(document[part])} have never been reviewed:"
                f" {', '.join(names)}.",
                blocks=False,
                place=Place("reviews", (unseen[0][0],), "reviewed_on"),
            )
    for place, row in latest.items():
        key = place, row["reviewer"], str(row["reviewed_on"])
        yield Fault(
            f"The review of “{place}”",
            "the topic has nothing of this name.",
            blocks=False,
            place=Place("reviews", key, "place"),
        )
