"""One Summary, four outputs: what the patient's page, the clinician's note, the FHIR document and a
replayed receipt share, they say alike, whoever it is.

Each output is read back from what is handed out: the page and the note from their HTML, the plain
text from its lines, the document and the outcome of the receipt from their JSON.
"""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import RequestFactory
from hypothesis import HealthCheck, given, settings

from triage.content.knowledge import Content
from triage.engine import ENGINE_VERSION, NOT_SURE, Chosen, Declined, Kind, OptionKey, Urgency
from triage.engine.standing import Standing
from triage.engine.verdicts import FALSE
from triage.handover import receipt as receipts
from triage.handover.fhir import document_of
from triage.handover.note import PLAIN, plain_text
from triage.handover.receipt import receipt_of, replay
from triage.handover.summary import FindingTold, ReasonTold, Status, Summary, summary_of_assessment
from triage.questionnaire.in_100 import whole
from triage.questionnaire.models import Assessment
from triage.questionnaire.pages import outcome_page

from .markup import Element, tree_of
from .summaries import assessment_of, cases, interviewed_as, people, shipped_content, unusual

SHOWN = 5
"""Causes on the patient's page and on the note; the others have all of them."""

HOW_SOON = {
    Urgency.EMERGENCY_NOW: "Emergency",
    Urgency.SAME_DAY: "Urgent: today",
    Urgency.FEW_DAYS: "Within 2 to 3 days",
    Urgency.URGENT_2_WEEKS: "Within 2 weeks",
    Urgency.ROUTINE: "Not urgent",
    Urgency.SELF_CARE: "Not urgent: care at home",
}
HEADINGS = {
    Status.PRESENT: "Present",
    Status.ABSENT: "Absent",
    Status.NOT_KNOWN: "Asked, but not known",
    Status.NOT_ASKED: "Not asked",
}

type Entry = tuple[str, str]
"""What one thing is called, and what is said of it."""


def reasons_shown(summary: Summary) -> list[ReasonTold]:
    """A cause with a calmer advice of its own says nothing about why this advice was given."""
    return [r for r in summary.reasons if r.kind != "risk" or r.urgency is summary.urgency]


def titles(flags: Any) -> list[str]:
    return [flag.title for flag in flags]


# The Summary itself


def check_findings(assessment: Assessment, summary: Summary) -> None:
    """Each feature that applies or could stands there once, in the topic's order, as what it is."""
    knowledge = shipped_content().knowledge
    standing = Standing(knowledge, assessment.evidence)
    replies = {feature.key: reply for feature, reply in standing.read}
    applying = [f.key for f in knowledge.features if standing.gates.get(f.key) is not FALSE]
    assert [told.feature for told in summary.findings] == applying
    assert replies.keys() <= set(applying)
    assert sum(len(summary.of_status(status)) for status in Status) == len(applying)
    for told in summary.findings:
        reply, feature = replies.get(told.feature), knowledge.feature(told.feature)
        asked = told.status is not Status.NOT_ASKED
        assert asked == (reply is not None) == bool(told.answer) == bool(told.set_by)
        held = reply.options if isinstance(reply, Chosen) else frozenset[OptionKey]()
        unknown = isinstance(reply, Declined) or NOT_SURE in held
        assert unknown == (told.status is Status.NOT_KNOWN)
        if unknown or not asked:
            assert (told.absent, told.number) == ((), None)
        present, absent = {key for key, _ in told.present}, {key for key, _ in told.absent}
        assert present <= held
        assert held.isdisjoint(absent)
        if asked and not unknown and feature.kind is Kind.MULTI:
            free = {option.key for option in feature.options if not option.exclusive}
            assert present | absent == free
            assert present == held & free


# The patient's page


def page_of(assessment: Assessment) -> Element:
    request = RequestFactory().get("/check/outcome")
    request.htmx = False  # type: ignore[attr-defined] # as its middleware does
    page = outcome_page(assessment, assessment.active_at)
    return tree_of(render_to_string("questionnaire/outcome.html", page, request)).one("main")


def part(root: Element, heading: str) -> list[Element]:
    """Return what stands below a heading, up to the next."""
    for siblings in (root.children, *(inside.children for inside in root)):
        headings = [place for place, e in enumerate(siblings) if e.tag == "h2"]
        for place, end in pairwise([*headings, len(siblings)]):
            if siblings[place].text == heading:
                return siblings[place + 1 : end]
    return []


def of_class(root: Element, tag: str, name: str) -> list[Element]:
    return [e for e in root.all(tag) if name in e.attributes.get("class", "").split()]


def check_page(page: Element, summary: Summary) -> None:
    (care,) = of_class(page, "section", "care")
    assert care.data("urgency") == summary.urgency.key
    assert care.one("h1").text == summary.advice_heading
    assert of_class(care, "p", "lead")[0].text == summary.what_to_do
    check_page_reasons(part(page, "Why we say this"), summary)
    watch_for = part(page, "What to watch for")
    assert watch_for[0].text == summary.safety_net
    listed = [li.text for e in watch_for if e.tag == "ul" for li in e.all("li")]
    assert listed == titles(summary.not_excluded)
    check_page_causes(page, summary)
    unknown = [p.text for p in of_class(page, "p", "print") if "do not know" in p.text]
    names = "; ".join(u.name for u in summary.unknowns)
    assert sorted(names_in(unknown)) == sorted(u.name for u in summary.unknowns), names
    (stamp,) = of_class(page, "div", "print")
    version = f"content release {summary.release_number} ({summary.release_sha256[:8]})"
    assert f"{version} · engine {summary.engine_version}" in stamp.text
    assert ("Demonstration." in stamp.text) == summary.demonstration
    assert ("Not approved for clinical use." in stamp.text) != summary.approved_for_clinical_use
    check_page_answers(part(page, "Your answers"), summary)


def names_in(sentences: list[str]) -> list[str]:
    return [name for text in sentences for name in text.partition(": ")[2].split("; ")]


def check_page_reasons(below: list[Element], summary: Summary) -> None:
    plain = {cause.key: cause.plain_name for cause in summary.differential}
    shown = reasons_shown(summary)
    if not shown:
        assert [p.text for p in below] == ["None of your answers was a warning sign."]
        return
    boxes, others = (e for e in below if e.tag == "ul")
    first = [r for r in shown if r.urgency is summary.urgency]
    for box, reason in zip(boxes.children, first, strict=True):
        cause = plain.get(reason.key, reason.title)  # type: ignore[call-overload] # of a rule too
        title = f"It could be: {cause}" if reason.kind == "risk" else reason.title
        because = [f"Because you said: {'; '.join(reason.findings)}."] if reason.findings else []
        message = [reason.message] if reason.message else []
        assert [e.text for e in box.children] == [title, *message, *because]
    assert [e.text for e in others.children] == [
        f"Also: {r.title}" + (f" ({'; '.join(r.findings)})" if r.findings else "")
        for r in shown
        if r.urgency is not summary.urgency
    ]


def check_page_causes(page: Element, summary: Summary) -> None:
    below = part(page, "What it might be")
    if not summary.in_scope:
        assert not [e for e in below if e.tag == "ol"]
        assert not part(page, "Serious causes to rule out")
        return
    (listed,) = (e for e in below if e.tag == "ol")
    *boxes, something_else = listed.children
    assert something_else.one("h3").text == "Something else"
    for box, cause in zip(boxes, summary.differential[:SHOWN], strict=True):
        assert box.one("h3").text == cause.plain_name
        assert box.one("a").attributes["href"].endswith(f"/{cause.key}")
        serious = " Serious" if cause.serious else ""
        (chance,) = of_class(box, "p", "chance")
        assert chance.text == cause.chance_words.capitalize() + serious
        span = box.one("line").attributes
        assert (span["x1"], span["x2"]) == (str(whole(cause.low)), str(whole(cause.high)))
        (weights,) = of_class(box, "div", "weights")
        towards, away = weights.children
        assert [li.text for li in towards.all("li")] == [told.text for told in cause.supports[:5]]
        assert [li.text for li in away.all("li")] == [told.text for told in cause.opposes[:5]]
    plain = {cause.key: cause.plain_name for cause in summary.differential}
    serious_part = part(page, "Serious causes to rule out")
    names = [li.text for ul in serious_part if ul.tag == "ul" for li in ul.all("li")]
    assert names == [plain[key] for key, _ in summary.must_not_miss]


def check_page_answers(below: list[Element], summary: Summary) -> None:
    (rows,) = (e for e in below if e.tag == "dl")
    asked = [told for told in summary.findings if told.number_asked is not None]
    asked.sort(key=lambda told: told.number_asked or 0)
    shown = [(row.one("dt").text, row.all("dd")[0].text) for row in rows.children]
    assert shown == [(told.name, told.answer) for told in asked]
    observed = [e.text for e in below if e.attributes.get("class") == "because"]
    assert observed == list(seen_by(asked))


def seen_by(findings: Any) -> Iterator[str]:
    seen: dict[str, list[str]] = {}
    for told in findings:
        if told.observed_by:
            seen.setdefault(told.observed_by, []).append(told.name)
    for who, names in seen.items():
        yield f"Seen or felt by {who}: {'; '.join(names)}."


# The clinician's note


def expected_entries(summary: Summary, status: Status) -> dict[str, list[Entry]]:
    """Return what the note says under one status, by section: here from the Summary alone."""
    sections: dict[str, list[Entry]] = {}
    for told in summary.findings:
        if says := said_of(told, status):
            section = told.section[0].upper() + told.section[1:]
            sections.setdefault(section, []).append((told.name, says[0]))
    return sections


def said_of(told: FindingTold, status: Status) -> list[str]:
    denied = "; ".join(label for _, label in told.absent)
    if status is Status.ABSENT and told.kind is Kind.MULTI and denied:
        return [f"{'not' if told.present else 'none of these'}: {denied}"]
    return [told.answer] if told.status is status else []


def about(shown: str) -> tuple[float, float]:
    """Return between which probabilities a percentage lies that is shown so."""
    sign, number = re.fullmatch(r"([<>]?)([\d.]+)%", shown).groups()  # type: ignore[union-attr] # else it fails here
    if sign:
        return (0, float(number) / 100) if sign == "<" else (float(number) / 100, 1)
    # Never rounded up to where another word begins, so it may be cut off.
    rough = 0.0011 if "." in number else 0.011
    return float(number) / 100 - rough / 2 - 1e-9, float(number) / 100 + rough


def is_about(shown: str, probability: float) -> bool:
    low, high = about(shown)
    return low <= probability <= high


def check_note(summary: Summary) -> None:
    note = tree_of(render_to_string("handover/note.html", {"summary": summary})).one("article")
    assert note.attributes["lang"] == "en-gb"
    head = note.one("header")
    assert head.one("h2").text == summary.topic_title
    check_head(head.text, summary)
    urgency = note.one("section", part="urgency")
    assert urgency.data("urgency") == summary.urgency.key
    assert urgency.one("h3").text == f"{HOW_SOON[summary.urgency]}: {summary.advice_heading}"
    assert [p.text for p in urgency.all("p")] == [
        f"Was told: {summary.what_to_do}",
        f"To watch for: {summary.safety_net}",
    ]
    check_note_reasons(note.one("section", part="reasons"), summary)
    for name, flags in (("withdrawn", summary.withdrawn), ("not_excluded", summary.not_excluded)):
        listed = [li for section in note.all("section", part=name) for li in section.all("li")]
        assert [(li.data("key"), li.text) for li in listed] == [(f.key, f.title) for f in flags]
    check_note_causes(note, summary)
    for status in Status:
        shown = {
            row.one("dt").text: [entry_of(li) for li in row.all("li")]
            for section in note.all("section", part="findings", status=status.value)
            for row in section.one("dl").children
        }
        assert shown == expected_entries(summary, status)
    options = {
        (status, li.data("feature"), tuple(li.attributes.get("data-options", "").split()))
        for status in (Status.PRESENT, Status.ABSENT)
        for section in note.all("section", part="findings", status=status.value)
        for li in section.all("li")
    }
    for told in summary.findings:
        if told.present and told.status is Status.PRESENT:
            assert (Status.PRESENT, told.feature, tuple(k for k, _ in told.present)) in options
        if told.absent:
            assert (Status.ABSENT, told.feature, tuple(k for k, _ in told.absent)) in options
    observed = [p.text for s in note.all("section", part="observed") for p in s.all("p")]
    assert observed == list(seen_by(summary.findings))
    unknowns = [li for s in note.all("section", part="unknowns") for li in s.all("li")]
    assert [entry_of(li) for li in unknowns] == unknown_entries(summary)
    leads = [li for s in note.all("section", part="leads") for li in s.all("li")]
    assert [li.text for li in leads] == leading(summary)


def check_head(head: str, summary: Summary) -> None:
    assert f"Ticket {summary.ticket}. {summary.place}. Begun on 26 November 2026, 09:30" in head
    assert f"release {summary.release_number} ({summary.release_sha256[:8]}), engine 2" in head
    assert f"Answered by: {'; '.join(summary.answered_by)}." in head
    assert ("Not approved for clinical use." in head) != summary.approved_for_clinical_use
    assert ("Demonstration." in head) == summary.demonstration
    assert ("No clinician has checked it." in head) == summary.translation_unchecked
    assert f"Language: {'Spanish' if summary.language == 'es' else 'British English'}." in head


def entry_of(item: Element) -> Entry:
    name, *says = item.children
    return name.text, says[0].text if says else ""


def check_note_reasons(section: Element, summary: Summary) -> None:
    shown = section.all("li")
    assert bool(shown) == bool(section.all("ul")) != bool(section.all("p"))
    for li, reason in zip(shown, reasons_shown(summary), strict=True):
        could_be = "It could be: " if reason.kind == "risk" else ""
        told = (li.data("kind"), li.data("key"), li.data("urgency"), li.one("strong").text)
        assert told == (reason.kind, reason.key, reason.urgency.key, could_be + reason.title)
        because = reason.findings if reason.urgency is summary.urgency else ()
        assert [span.text for span in li.all("span")] == list(because)
        if reason.posterior is not None and reason.threshold is not None:
            risk, least = re.findall(r"[<>]?[\d.]+%", li.text)
            assert is_about(risk, reason.posterior)
            assert is_about(least, reason.threshold)


def check_note_causes(note: Element, summary: Summary) -> None:
    section = note.one("section", part="causes")
    listed = section.one("ol").children if section.all("ol") else []
    for li, cause in zip(listed, summary.differential[:SHOWN], strict=True):
        assert (li.data("key"), li.all("strong")[0].text) == (cause.key, cause.name)
        value = li.one("data")
        assert float(value.attributes["value"]) == cause.posterior
        assert is_about(value.text, cause.posterior)
        (spread,) = (span for span in li.all("span") if "data-low" in span.attributes)
        low, high = spread.text.split(" to ")
        assert (float(spread.data("low")), float(spread.data("high"))) == (cause.low, cause.high)
        assert is_about(low, cause.low)
        assert is_about(high, cause.high)
        assert li.one("em").text == cause.chance_words
        assert bool(li.all("b")) == cause.serious
        for says, weights in (("for", cause.supports), ("against", cause.opposes)):
            told = [span.text for p in li.all("p", says=says) for span in p.all("span")]
            most = 3 if cause.high >= 0.05 else 0
            assert told == [weight.brief for weight in weights[:most]]
    posteriors = {cause.key: cause.posterior for cause in summary.differential}
    rule_out = [li for s in note.all("section", part="must_not_miss") for li in s.all("li")]
    assert [(li.data("key"), li.one("span").text) for li in rule_out] == list(summary.must_not_miss)
    for li, (key, _) in zip(rule_out, summary.must_not_miss, strict=True):
        assert float(li.one("data").attributes["value"]) == posteriors[key]


def unknown_entries(summary: Summary) -> list[Entry]:
    """Return what the note says of the unknowns that could change the urgency."""
    knowledge, now = shipped_content().knowledge, summary.urgency
    raising = [unknown for unknown in summary.unknowns if unknown.highest > now]
    calming = [u for u in summary.unknowns if u.lowest < now and u.highest <= now]
    entries = []
    for unknown in raising:
        worst = [f for f in unknown.rules if knowledge.rule(f.key).urgency is unknown.highest]
        because = f" ({'; '.join(titles(worst))})" if worst else ""
        could = f"Could make it more urgent: {HOW_SOON[unknown.highest]}{because}"
        entries.append((unknown.name, f"{unknown.answer}. {could}"))
    for unknown in calming:
        could = f"Could make it less urgent: {HOW_SOON[unknown.lowest]}"
        entries.append((unknown.name, f"{unknown.answer}. {could}"))
    return entries


def leading(summary: Summary) -> list[str]:
    return [unknown.name for unknown in summary.unknowns if unknown.leads]


# The same as plain text


def check_text(summary: Summary) -> None:
    text = plain_text(summary)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert "\t" not in text
    assert all(character.isalpha() or character.isascii() for character in text)
    head, urgency, *blocks = [block.splitlines() for block in text.split("\n\n")]
    assert head[0] == summary.topic_title.upper()
    check_head(" ".join(head[1:]), summary)
    assert urgency[0] == f"{HOW_SOON[summary.urgency].upper()} - {summary.advice_heading}"
    assert plain(f"Was told: {summary.what_to_do} To watch for: {summary.safety_net}") == " ".join(
        urgency[1:]
    )
    by_heading = {block[0]: list(items_of(block[1:])) for block in blocks}
    reasons = by_heading["RED FLAGS AND OTHER REASONS"] if reasons_shown(summary) else []
    for line, reason in zip(reasons, reasons_shown(summary), strict=True):
        could_be = "It could be: " if reason.kind == "risk" else ""
        assert line.startswith(plain(f"{HOW_SOON[reason.urgency]}: {could_be}{reason.title}"))
        if reason.findings and reason.urgency is summary.urgency:
            assert line.endswith(plain(f"({'; '.join(reason.findings)})"))
    taken_back = by_heading.get("RED FLAGS TAKEN BACK: RAISED, THEN THE ANSWER WAS CHANGED", [])
    assert taken_back == [plain(title) for title in titles(summary.withdrawn)]
    open_still = by_heading.get("NOT RULED OUT, AS AN ANSWER IS NOT KNOWN", [])
    assert open_still == [plain(title) for title in titles(summary.not_excluded)]
    check_text_causes(by_heading, summary)
    for status in Status:
        assert sections_in(by_heading.get(HEADINGS[status].upper(), [])) == {
            section: sorted(f"{name}: {says}" if says else name for name, says in entries)
            for section, entries in plain_entries(summary, status).items()
        }
    assert by_heading.get("NOT KNOWN, AND COULD CHANGE THE ADVICE", []) == [
        plain(f"{name}: {says}") for name, says in unknown_entries(summary)
    ]
    leads = by_heading.get("NOT KNOWN, AND COULD CHANGE WHICH CAUSE COMES FIRST", [])
    assert leads == [plain("; ".join(leading(summary)))] * bool(leads)
    assert bool(leads) == bool(leading(summary))


def plain(text: str) -> str:
    return text.translate(PLAIN)


def plain_entries(summary: Summary, status: Status) -> dict[str, list[Entry]]:
    return {
        plain(section): [(plain(name), plain(says)) for name, says in entries]
        for section, entries in expected_entries(summary, status).items()
    }


def items_of(lines: list[str]) -> Iterator[str]:
    """Yield each item of a block as one line, the marks of a list taken off."""
    item = ""
    for line in lines:
        if re.match(r" *- |\d\. |   (For|Against): |[^ ]", line):
            if item:
                yield item
            item = re.sub(r"^ *- ", "", line)
        else:
            item += f" {line.strip()}"
    if item:
        yield item


def sections_in(items: list[str]) -> dict[str, list[str]]:
    """Return the items of each section; of those not asked a section is one line."""
    sections: dict[str, list[str]] = {}
    section = ""
    for item in items:
        if item.endswith(":"):
            section = item[:-1]
            sections[section] = []
        elif section:
            sections[section].append(item)
        else:
            name, _, names = item.partition(": ")
            sections[name] = sorted(names.split("; "))
    return {name: sorted(entries) for name, entries in sections.items()}


def check_text_causes(by_heading: dict[str, list[str]], summary: Summary) -> None:
    lines = by_heading["POSSIBLE CAUSES: ESTIMATES, WITH THE RANGE FOR 90 IN 100"]
    if not summary.differential:
        assert len(lines) == 1
        return
    numbered = [line for line in lines if re.match(r"\d\. ", line)]
    for place, (line, cause) in enumerate(
        zip(numbered, summary.differential[:SHOWN], strict=True), start=1
    ):
        name, _, numbers = line.rpartition(": ")
        assert name == plain(f"{place}. {cause.name}")
        found = re.fullmatch(r"(\S+) \((\S+) to (\S+)\), ([a-z ]+)(, Serious)?", numbers)
        assert found is not None, numbers
        assert is_about(found[1], cause.posterior)
        assert is_about(found[2], cause.low)
        assert is_about(found[3], cause.high)
        assert (found[4], bool(found[5])) == (cause.chance_words, cause.serious)
    rule_out = by_heading["SERIOUS CAUSES TO RULE OUT"]
    names = [line.rpartition(": ")[0] for line in rule_out]
    assert names == [plain(name) for _, name in summary.must_not_miss]


# The FHIR document


def check_document(summary: Summary) -> None:
    document = document_of(summary, base="https://check.clinic.example")
    resources = [entry["resource"] for entry in document["entry"]]
    observations = [r for r in resources if r["resourceType"] == "Observation"]
    level = next(r for r in observations if code_of(r["code"]) == "advice-level")
    assert code_of(level["valueCodeableConcept"]) == summary.urgency.key
    assert level["valueCodeableConcept"]["text"] == summary.advice_heading
    notes = [note["text"] for note in level.get("note", [])]
    for note, reason in zip(notes, summary.reasons, strict=False):
        assert f": {reason.title}." in note
        assert all(finding in note for finding in reason.findings)
    assert notes[len(summary.reasons) :] == [
        *(f"Raised and withdrawn: {title}" for title in titles(summary.withdrawn)),
        *(f"Not excluded: {title}" for title in titles(summary.not_excluded)),
    ]
    check_predictions(resources, summary)
    check_observations(observations, summary)
    (response,) = (r for r in resources if r["resourceType"] == "QuestionnaireResponse")
    items = [(item["linkId"], item["text"]) for item in response["item"]]
    assert items == [(told.feature, told.question) for told in summary.findings]
    for item, told in zip(response["item"], summary.findings, strict=True):
        assert bool(item.get("answer")) == (told.status is not Status.NOT_ASKED)
        given = [a["valueCoding"]["code"] for a in item.get("answer", []) if "valueCoding" in a]
        if told.status is Status.PRESENT and told.kind is not Kind.NUMBER:
            assert given == sorted(f"{told.feature}.{key}" for key, _ in told.present)
        if told.status is Status.NOT_KNOWN and told.kind is not Kind.NUMBER:
            assert not [code for code in given if "." in code]
    (device,) = (r for r in resources if r["resourceType"] == "Device")
    versions = {version["value"] for version in device["version"]}
    assert {summary.engine_version, summary.release_sha256} <= versions
    cover = json.dumps(resources[0], ensure_ascii=False)
    assert f"Ticket: {summary.ticket}" in cover
    assert f"Place: {summary.place}" in cover


def code_of(concept: dict[str, Any]) -> str:
    return str(concept["coding"][0]["code"])


def check_predictions(resources: list[dict[str, Any]], summary: Summary) -> None:
    risks = [r for r in resources if r["resourceType"] == "RiskAssessment"]
    predictions = [p for risk in risks for p in risk["prediction"]]
    for told, cause in zip(predictions, summary.differential, strict=True):
        assert code_of(told["outcome"]) == cause.key
        assert told["outcome"]["text"] == cause.name
        assert told["probabilityDecimal"] == pytest.approx(100 * cause.posterior, abs=1e-4)
        assert told["qualitativeRisk"]["text"] == cause.chance_words
        low, high = re.findall(r"90 in 100: (\S+) to (\S+) %", told["rationale"])[0]
        assert float(low) == pytest.approx(100 * cause.low, abs=1e-4)
        assert float(high) == pytest.approx(100 * cause.high, abs=1e-4)


def check_observations(observations: list[dict[str, Any]], summary: Summary) -> None:
    """What is there and what is not has one each; what is not known or was not asked has none."""
    shown: dict[str, set[str]] = {"75325-1": set(), "111551-8": set()}
    numbers = {}
    for each in observations:
        code = code_of(each["code"])
        if code in shown:
            shown[code].add(code_of(each["valueCodeableConcept"]))
        elif "valueInteger" in each:
            numbers[code] = each["valueInteger"]
    sure = [told for told in summary.findings if told.status in (Status.PRESENT, Status.ABSENT)]
    assert numbers == {told.feature: told.number for told in sure if told.number is not None}
    assert shown["75325-1"] == {f"{t.feature}.{key}" for t in sure for key, _ in t.present}
    assert shown["111551-8"] == {
        code
        for told in sure
        for code in (
            [f"{told.feature}.{key}" for key, _ in told.absent]
            if told.kind is Kind.MULTI
            else [str(told.feature)] * (told.status is Status.ABSENT)
        )
    }


# The receipt


@pytest.fixture(autouse=True)
def releases_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(document: dict[str, Any]) -> Content:
        assert document["sha256"] == shipped_content().sha256
        return shipped_content()

    monkeypatch.setattr(receipts, "_release_of", find)


def check_receipt(assessment: Assessment, summary: Summary) -> None:
    kept = receipt_of(summary)
    document = json.loads(kept)
    assert document["replies"] == assessment.replies
    assert document["set_by"] == assessment.set_by
    assert document["withdrawn"] == assessment.withdrawn
    assert (document["release"], document["engine"]) == (summary.release_number, ENGINE_VERSION)
    found = json.loads(replay(kept))
    assert (found["urgency"], bool(found["in_scope"])) == (summary.urgency.key, summary.in_scope)
    assert found["not_excluded"] == [flag.key for flag in summary.not_excluded]
    assert found["must_not_miss"] == [key for key, _ in summary.must_not_miss]
    for reason, told in zip(found["reasons"], summary.reasons, strict=True):
        assert reason["urgency"] == told.urgency.key
        if told.kind == "risk":
            assert reason["conditions"] == list(told.conditions)
            assert told.key == (reason["group"] or reason["conditions"][0])
            assert reason["posterior"] == pytest.approx(told.posterior, abs=1e-6)
        else:
            assert (reason["kind"], reason["rule"]) == (told.kind, told.key)
            assert len(reason["findings"]) == len(told.findings)
    for ranked, cause in zip(found["differential"], summary.differential, strict=True):
        assert (ranked["condition"], ranked["chance"]) == (cause.key, cause.chance.value)
        numbers = [ranked["posterior"], ranked["low"], ranked["high"]]
        assert numbers == pytest.approx([cause.posterior, cause.low, cause.high], abs=1e-6)
        assert len(ranked["weights"]) == len(cause.supports) + len(cause.opposes)
    assert [tuple(unknown[:4]) for unknown in found["unknowns"]] == [
        (u.feature, [flag.key for flag in u.rules], u.lowest.key, u.highest.key)
        for u in summary.unknowns
    ]


# Whoever it is


def check_all(assessment: Assessment) -> None:
    summary = summary_of_assessment(assessment, ticket="472", place="By the door")
    check_findings(assessment, summary)
    check_page(page_of(assessment), summary)
    check_note(summary)
    check_text(summary)
    check_document(summary)
    check_receipt(assessment, summary)


@pytest.mark.parametrize("who", unusual())
def test_all_four_say_the_same_at_the_edges(who: str) -> None:
    check_all(unusual()[who])


def test_all_four_say_the_same_of_the_cases(sweep: int) -> None:
    """All of them in a soak, else each fourth."""
    some = list(cases().values())[:: 1 if sweep > 2000 else 4]

    assert len(some) > 20
    for evidence in some:
        check_all(assessment_of(interviewed_as(evidence)))


def test_all_four_say_the_same_of_whoever_comes(sweep: int) -> None:
    @settings(
        max_examples=max(10, sweep // 60),
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(people())
    def check(assessment: Assessment) -> None:
        check_all(assessment)

    check()
