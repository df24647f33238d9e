"""What a document of ours must obey: the official R4 schema, and the rules that no schema says.

The rules in brackets are those of FHIR R4 (4.0.1).
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

from jsonschema import Draft6Validator

type Resource = dict[str, Any]
type Rule = Callable[[Resource], Iterator[str]]

SCHEMA = json.loads((Path(__file__).parent / "fhir.schema.json").read_text(encoding="utf-8"))
KEPT = {"Element", "Extension", "ResourceList"}
ANY: Resource = {"resourceType": "Patient"}
PARTS = {
    "Bundle": {"entry": "Bundle_Entry"},
    "Bundle_Entry": {"resource": ""},
    "Questionnaire": {"item": "Questionnaire_Item"},
    "QuestionnaireResponse": {"contained": "", "item": "QuestionnaireResponse_Item"},
    "RiskAssessment": {"prediction": "RiskAssessment_Prediction"},
}
"""Where there is much, and what is there; where that is empty, the part says so itself."""

UUID_OF_ANY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

TYPES = {
    "Composition",
    "Patient",
    "RelatedPerson",
    "Device",
    "QuestionnaireResponse",
    "Observation",
    "RiskAssessment",
}
STATUSES = {
    "Composition": {"preliminary"},
    "Device": {"active"},
    "Observation": {"preliminary", "final"},
    "Questionnaire": {"active"},
    "QuestionnaireResponse": {"completed", "stopped"},
    "RiskAssessment": {"preliminary"},
}
REQUIRED = {
    "Bundle": {"type"},
    "Composition": {"status", "date", "title", "subject", "section"},
    "Observation": {"status", "subject", "performer", "derivedFrom"},
    "Questionnaire": {"status", "derivedFrom"},
    "QuestionnaireResponse": {"status", "questionnaire", "subject", "authored", "item"},
    "RiskAssessment": {"status", "basis", "method", "prediction"},
}
"""What R4, its guides or we ask for and the schema does not: it lets every simple field be missing."""

IDENTITY = {
    "address",
    "birthDate",
    "communication",
    "contact",
    "deceasedBoolean",
    "gender",
    "generalPractitioner",
    "identifier",
    "maritalStatus",
    "name",
    "photo",
    "telecom",
}
XHTML = "{http://www.w3.org/1999/xhtml}"
TAGS = {f"{XHTML}{tag}" for tag in ("div", "p", "ul", "li")}
VALUE = re.compile(r"value[A-Z]")


def resources_of(document: Resource) -> list[Resource]:
    return [entry["resource"] for entry in document["entry"]]


def of_type(document: Resource, kind: str) -> list[Resource]:
    return [each for each in resources_of(document) if each["resourceType"] == kind]


def inside(value: Any) -> Iterator[Resource]:
    """Yield every object within a value, itself first."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value:
        if isinstance(part, dict | list):
            yield from inside(part)


def references(value: Any) -> Iterator[str]:
    yield from (each["reference"] for each in inside(value) if "reference" in each)


def fits_the_schema(document: Resource) -> Iterator[str]:
    """Check each part by itself: many come again in the next document, under another id."""
    for kind, part in _apart("Bundle", document):
        yield from _misfits(kind, UUID_OF_ANY.sub(str(UUID(int=0)), json.dumps(part)))


def _apart(kind: str, whole: Resource) -> Iterator[tuple[str, Resource]]:
    """Yield each part with what it is, and then the whole with something small in their place."""
    places = {field: of for field, of in PARTS.get(kind, {}).items() if field in whole}
    for field, of in places.items():
        for part in whole[field] if isinstance(whole[field], list) else [whole[field]]:
            yield from _apart(of or part["resourceType"], part)
    small: dict[str, Any] = {field: {} if of else ANY for field, of in places.items()}
    many = {field: [small[field]] for field in places if isinstance(whole[field], list)}
    yield kind, whole | small | many


@lru_cache(maxsize=16_384)
def _misfits(kind: str, part: str) -> tuple[str, ...]:
    errors = _validator(kind).iter_errors(json.loads(part))
    return tuple(f"{kind}, {error.json_path}: {error.message[:200]}" for error in errors)


@cache
def _validator(kind: str) -> Draft6Validator:
    whole = _plain(SCHEMA["definitions"][kind], frozenset({kind}))
    return Draft6Validator(whole | {"definitions": SCHEMA["definitions"]})


def _plain(schema: Any, within: frozenset[str] = frozenset()) -> Any:
    """Put types where they are named: to look each of them up takes most of the time. A type stays
    named within itself; so do extensions, which take any other, and of which we have next to none.
    """
    if isinstance(schema, list):
        return [_plain(part, within) for part in schema]
    if not isinstance(schema, dict):
        return schema
    named = str(schema.get("$ref")).rpartition("/")[2]
    if named in SCHEMA["definitions"].keys() - KEPT - within:
        return _plain(SCHEMA["definitions"][named], within | {named})
    return {key: _plain(part, within) for key, part in schema.items()}


def has_what_is_required(document: Resource) -> Iterator[str]:
    for each in inside(document):
        kind = each.get("resourceType", "")
        yield from (f"{kind} lacks {key}" for key in REQUIRED.get(kind, set()) - each.keys())
        if "item" in each:
            yield from (f"{kind}: no linkId" for item in each["item"] if "linkId" not in item)


def is_a_document(document: Resource) -> Iterator[str]:
    """[bdl-9, bdl-10]"""
    if document.get("type") != "document":
        yield "it is no document"
    if not {"system", "value"} <= document.get("identifier", {}).keys():
        yield "it has no identifier"
    if "timestamp" not in document:
        yield "it does not say when it was made"


def begins_with_the_composition(document: Resource) -> Iterator[str]:
    """[bdl-11]"""
    kinds = [each["resourceType"] for each in resources_of(document)]
    if kinds[0] != "Composition" or kinds.count("Composition") != 1:
        yield f"it begins with {kinds[0]}"


def is_addressed_by_uuids(document: Resource) -> Iterator[str]:
    """[bdl-7, bdl-8]"""
    addresses = [entry["fullUrl"] for entry in document["entry"]]
    if len(set(addresses)) < len(addresses):
        yield "two entries have one address"
    for entry in document["entry"]:
        scheme, _, uuid = entry["fullUrl"].rpartition(":")
        if scheme != "urn:uuid" or str(UUID(uuid)) != uuid or entry["resource"]["id"] != uuid:
            yield f"{entry['fullUrl']} is not the address of {entry['resource']['id']}"


def refers_to_itself_only(document: Resource) -> Iterator[str]:
    addresses = {entry["fullUrl"] for entry in document["entry"]}
    yield from (f"{to} leads nowhere" for to in references(document) if to not in addresses)


def hangs_together(document: Resource) -> Iterator[str]:
    """Every entry is reached from the Composition: nobody is handed what no section speaks of."""
    by_address = {entry["fullUrl"]: entry["resource"] for entry in document["entry"]}
    reached: set[str] = set()
    ahead = [document["entry"][0]["fullUrl"]]
    while ahead:
        address = ahead.pop()
        if address not in reached:
            reached.add(address)
            ahead += references(by_address.get(address, {}))
    yield from (f"{address} is not reached" for address in by_address.keys() - reached)


def has_listed_types(document: Resource) -> Iterator[str]:
    """Above all: no Condition, which would land on a problem list."""
    kinds = {each["resourceType"] for each in resources_of(document)}
    yield from (f"there is a {kind}" for kind in kinds - TYPES)


def has_listed_statuses(document: Resource) -> Iterator[str]:
    for each in inside(document):
        kind = each.get("resourceType")
        if kind in STATUSES and each.get("status") not in STATUSES[kind]:
            yield f"{kind} is {each.get('status')}"


def can_be_read(document: Resource) -> Iterator[str]:
    """[txt-1, txt-2, cmp-1] Every resource and section has a well-formed narrative that says
    something."""
    composition = resources_of(document)[0]
    told = [*resources_of(document), *composition.get("section", [])]
    yield from ("a narrative is missing" for each in told if "text" not in each)
    yield from ("a section has no title" for each in composition["section"] if "title" not in each)
    for text in (each["text"]["div"] for each in told if "text" in each):
        try:
            root = ElementTree.fromstring(text)
        except ElementTree.ParseError as error:
            yield f"{text!r}: {error}"
            continue
        if root.tag != f"{XHTML}div" or {each.tag for each in root.iter()} - TAGS:
            yield f"{text!r} has other parts than plain paragraphs and lists"
        if any(each.attrib for each in root.iter()):
            yield f"{text!r} has attributes"
        if not "".join(root.itertext()).strip():
            yield f"{text!r} says nothing"


def says_what_it_is(document: Resource) -> Iterator[str]:
    title = resources_of(document)[0]["title"]
    if "patient-reported, not a diagnosis" not in title:
        yield f"it is called {title!r}"


def has_one_value_each(document: Resource) -> Iterator[str]:
    for each in of_type(document, "Observation"):
        if len([key for key in each if VALUE.match(key)]) != 1:
            yield f"{each['id']} does not have one value"
    for response in of_type(document, "QuestionnaireResponse"):
        for item in response["item"]:
            for answer in item.get("answer", []):
                if len([key for key in answer if VALUE.match(key.lstrip("_"))]) != 1:
                    yield f"{item['linkId']} does not have one value in each answer"


def gives_percentages(document: Resource) -> Iterator[str]:
    """[ras-2] And together they are all there is."""
    for risk in of_type(document, "RiskAssessment"):
        chances = [prediction["probabilityDecimal"] for prediction in risk["prediction"]]
        yield from (f"{chance} is no percentage" for chance in chances if not 0 <= chance <= 100)
        if abs(sum(chances) - 100) > 0.01:
            yield f"the chances come to {sum(chances)}"


def answers_what_it_asks(document: Resource) -> Iterator[str]:
    """[que-2] What is answered was asked, in the same words, and the answer was offered."""
    for response in of_type(document, "QuestionnaireResponse"):
        (asked,) = response["contained"]
        if response["questionnaire"] != f"#{asked['id']}":
            yield "it does not answer the questions that it contains"
        questions = {item["linkId"]: item for item in asked["item"]}
        if len(questions) < len(asked["item"]):
            yield "a question comes twice"
        links = [item["linkId"] for item in response["item"]]
        if len(set(links)) < len(links):
            yield "a question is answered twice"
        for item in response["item"]:
            question = questions.get(item["linkId"])
            if question is None:
                yield f"{item['linkId']} was not asked"
                continue
            if question["text"] != item["text"]:
                yield f"{item['linkId']} was asked in other words"
            yield from _unfit(question, item.get("answer", []))


def _unfit(question: Resource, answers: list[Resource]) -> Iterator[str]:
    offered = [option["valueCoding"] for option in question.get("answerOption", [])]
    if len(answers) > 1 and not question.get("repeats"):
        yield f"{question['linkId']} has several answers"
    for answer in answers:
        fits = (
            answer.keys() <= {"valueInteger", "_valueInteger"}
            if question["type"] == "integer"
            else answer.get("valueCoding") in offered
        )
        if not fits:
            yield f"{question['linkId']} does not offer {answer}"


def names_nobody(document: Resource) -> Iterator[str]:
    for each in (*of_type(document, "Patient"), *of_type(document, "RelatedPerson")):
        yield from (f"{each['resourceType']} has {key}" for key in each.keys() & IDENTITY)


RULES: tuple[Rule, ...] = (
    fits_the_schema,
    has_what_is_required,
    is_a_document,
    begins_with_the_composition,
    is_addressed_by_uuids,
    refers_to_itself_only,
    hangs_together,
    has_listed_types,
    has_listed_statuses,
    can_be_read,
    says_what_it_is,
    has_one_value_each,
    gives_percentages,
    answers_what_it_asks,
    names_nobody,
)


def faults_in(document: Resource) -> list[str]:
    return [f"{rule.__name__}: {fault}" for rule in RULES for fault in rule(document)]
