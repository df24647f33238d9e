"""Where on the desk each place of the content is mended: the form of its row, at the field."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from django.db import models
from django.urls import reverse
from django.utils.http import urlencode

from .faults import Fault, Place
from .models import (
    Advice,
    CalibrationStudy,
    Condition,
    Feature,
    GlossaryTerm,
    Likelihood,
    Option,
    RedFlag,
    Review,
    RiskGroup,
    Syndrome,
    SyndromeChance,
    SyndromeMember,
    Topic,
    Translation,
)

type Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """Rows that have a form of their own. `names` are the fields of their key; `topic` leads from
    them to the topic."""

    model: type[models.Model]
    names: tuple[str, ...] = ("key",)
    topic: str = "topic"


@dataclass(frozen=True, slots=True)
class Lines:
    """Rows that are lines of another one's form, which the first name of their key names."""

    model: type[models.Model]
    names: tuple[str, ...]
    topic: str
    above: str
    prefix: str


FORMS: Mapping[str, Form] = {
    "conditions": Form(Condition),
    "features": Form(Feature),
    "likelihoods": Form(
        Likelihood, ("condition__key", "option__feature__key", "option__key"), "condition__topic"
    ),
    "red_flags": Form(RedFlag),
    "risk_groups": Form(RiskGroup),
    "syndromes": Form(Syndrome),
    "advice": Form(Advice, ("scope", "key")),
    "glossary": Form(GlossaryTerm, ("term",)),
    "translations": Form(Translation, ("language", "place")),
    "calibration_studies": Form(CalibrationStudy),
    "reviews": Form(Review, ("place", "reviewer", "reviewed_on")),
}
LINES: Mapping[str, Lines] = {
    "options": Lines(Option, ("feature__key", "key"), "feature__topic", "features", "options"),
    "syndrome_chances": Lines(
        SyndromeChance,
        ("syndrome__key", "condition__key"),
        "syndrome__topic",
        "syndromes",
        "chances",
    ),
    "syndrome_members": Lines(
        SyndromeMember,
        ("syndrome__key", "option__feature__key", "option__key", "condition__key"),
        "syndrome__topic",
        "syndromes",
        "members",
    ),
}


class Addresses:
    """The addresses of one topic's rows. The database is asked once at most for each kind."""

    def __init__(self, topic: Topic) -> None:
        self._topic = topic
        self._ids: dict[str, dict[Key, int]] = {}
        self._numbers: dict[str, dict[Key, int]] = {}

    def of(self, place: Place) -> str:
        """Return the address of a field; of a form that adds the row, if there is none yet."""
        part, key, field = place
        if part == "likelihoods" and field in ("", "probability") and key:
            return self._in_a_row_of_numbers(key)
        if part in LINES:
            return self._in_lines(part, key, field)
        at = f"#id_{field}" if field else ""
        if part == "topic":
            return self._form(Topic, self._topic.pk) + at
        if not key:
            return self._list(FORMS[part])
        found = self._ids_of(part).get(key)
        return (self._form(FORMS[part].model, found) if found else self._new(part, key)) + at

    def _in_a_row_of_numbers(self, key: Key) -> str:
        """All numbers of one condition stand on its page, question by question."""
        condition, *feature = key
        at = f"#feature-{feature[0]}" if feature else ""
        return self.of(Place("conditions", (condition,))) + at

    def _in_lines(self, part: str, key: Key, field: str) -> str:
        lines = LINES[part]
        above = self.of(Place(lines.above, key[:1]))
        number = self._numbers_of(part).get(key)
        if number is None or not field:
            return f"{above}#{lines.prefix}-group"
        return f"{above}#id_{lines.prefix}-{number}-{field}"

    def _ids_of(self, part: str) -> dict[Key, int]:
        if part not in self._ids:
            form = FORMS[part]
            rows = form.model._default_manager.filter(**{form.topic: self._topic})
            self._ids[part] = {
                tuple(map(str, key)): pk
                for *key, pk in rows.order_by().values_list(*form.names, "pk")
            }
        return self._ids[part]

    def _numbers_of(self, part: str) -> dict[Key, int]:
        """Return the number of each line on its form, where they stand in the model's order."""
        if part not in self._numbers:
            lines, seen = LINES[part], Counter[str]()
            numbers = self._numbers[part] = {}
            rows = lines.model._default_manager.filter(**{lines.topic: self._topic})
            for key in rows.values_list(*lines.names):
                numbers[tuple(each for each in key if each is not None)] = seen[key[0]]
                seen[key[0]] += 1
        return self._numbers[part]

    def _new(self, part: str, key: Key) -> str:
        form = FORMS[part]
        given: dict[str, str | int] = {form.topic: self._topic.pk}
        given.update(zip(form.names, key, strict=False))
        add = reverse(f"admin:content_{form.model._meta.model_name}_add")
        return f"{add}?{urlencode(given)}"

    def _list(self, form: Form) -> str:
        listed = reverse(f"admin:content_{form.model._meta.model_name}_changelist")
        return f"{listed}?{urlencode({f'{form.topic}__id__exact': self._topic.pk})}"

    def _form(self, model: type[models.Model], pk: int) -> str:
        return reverse(f"admin:content_{model._meta.model_name}_change", args=[pk])


def linked(faults: Iterable[Fault], topic: Topic) -> list[Fault]:
    """Return the faults, each with the address at which it can be mended."""
    addresses = Addresses(topic)
    return [
        replace(fault, link=addresses.of(fault.place)) if fault.place else fault for fault in faults
    ]
