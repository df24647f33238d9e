"""Where a row of the drafts is used: what would have to change with it, or be lost with it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import singledispatch

from django.db import models
from django.db.models import Count, QuerySet
from django.urls import reverse
from django.utils.http import urlencode

from triage.engine import Expression, FeatureKey, RuleError, parse
from triage.engine.rules import Has, Is, features_of, literals

from .choices import AdviceScope, RuleKind, Urgency
from .glossary import Glossary, terms_of
from .models import (
    Advice,
    Condition,
    Feature,
    GlossaryTerm,
    Likelihood,
    Option,
    RedFlag,
    RiskGroup,
    Source,
    Syndrome,
    Topic,
    Translation,
)
from .translations import TEXTS

SPELT = 100  # characters of a text that are shown


@dataclass(frozen=True, slots=True)
class Use:
    """One place: `how` it is used there, what the place is called, and the page on which it is."""

    how: str
    what: str
    link: str


@singledispatch
def uses_of(row: models.Model) -> list[Use]:
    """Return every use of a row, those of one kind together. Of other models none is known."""
    return []


def has_uses(model: type[models.Model]) -> bool:
    """Whether it is known of this model where its rows are used."""
    return uses_of.dispatch(model) is not uses_of.dispatch(models.Model)


def grouped(uses: Iterable[Use]) -> dict[str, list[Use]]:
    together: dict[str, list[Use]] = {}
    for use in uses:
        together.setdefault(use.how, []).append(use)
    return together


@uses_of.register
def _(condition: Condition) -> list[Use]:
    topic = condition.topic
    members = Syndrome.objects.filter(members__condition=condition).distinct()
    return [
        *_counted("Its likelihoods", condition.likelihoods, condition__id__exact=condition.pk),
        *_rows("Syndromes that it may bring", _syndromes(chances__condition=condition)),
        *_rows("Syndromes with numbers of its own", members),
        *_rows("Risk groups that it belongs to", condition.risk_groups.all()),
        *_rows("Advice for it", _advice_for(condition)),
        *_cases(topic, expecting=condition.key),
        *_translated(topic, f"conditions/{condition.key}/"),
        *_reviewed(topic, f"conditions/{condition.key}"),
    ]


@uses_of.register
def _(feature: Feature) -> list[Use]:
    key = FeatureKey(feature.key)
    rules = _reading(feature.topic, lambda expression: key in features_of(expression))
    numbers = Likelihood.objects.filter(option__feature=feature)
    return [
        *rules,
        *_counted("Its likelihoods", numbers, option__feature__id__exact=feature.pk),
        *_rows("Syndromes that it shows", _syndromes(members__option__feature=feature)),
        *_explained(feature),
        *_cases(feature.topic, answering=feature.key),
        *_translated(feature.topic, f"features/{feature.key}/"),
        *_translated(feature.topic, f"options/{feature.key}/", "Translations of its answers"),
        *_reviewed(feature.topic, f"features/{feature.key}"),
    ]


@uses_of.register
def _(option: Option) -> list[Use]:
    feature = option.feature
    rules = _reading(feature.topic, lambda expression: _names(expression, feature.key, option.key))
    return [
        *rules,
        *_counted("Its likelihoods", option.likelihoods, option__id__exact=option.pk),
        *_rows("Syndromes that it shows", _syndromes(members__option=option)),
        *_cases(feature.topic, answering=feature.key, with_option=option.key),
        *_translated(feature.topic, f"options/{feature.key}/{option.key}/"),
    ]


@uses_of.register
def _(source: Source) -> list[Use]:
    return [
        *_counted("Likelihoods that rest on it", source.likelihoods, source__id__exact=source.pk),
        *_rows("Conditions", source.conditions.all()),
        *_rows("Red flags", source.red_flags.all()),
        *_rows("Risk groups", source.risk_groups.all()),
        *_rows("Syndromes", source.syndromes.all()),
        *_rows("Chances of syndromes", _syndromes(chances__source=source)),
        *_rows("Signs of syndromes", _syndromes(members__source=source)),
        *_rows("Calibration studies", source.calibration_studies.all()),
    ]


@uses_of.register
def _(flag: RedFlag) -> list[Use]:
    return [
        *_rows("Advice for it", _advice_for(flag)),
        *_translated(flag.topic, f"red_flags/{flag.key}/"),
        *_reviewed(flag.topic, f"red_flags/{flag.key}"),
    ]


@uses_of.register
def _(syndrome: Syndrome) -> list[Use]:
    brought = Condition.objects.filter(syndrome_chances__syndrome=syndrome)
    answers = Option.objects.filter(syndrome_members__syndrome=syndrome).distinct()
    return [
        *_rows("Conditions that may bring it", brought),
        *_answers("Answers that show it", answers),
        *_translated(syndrome.topic, f"syndromes/{syndrome.key}/"),
        *_reviewed(syndrome.topic, f"syndromes/{syndrome.key}"),
    ]


@uses_of.register
def _(group: RiskGroup) -> list[Use]:
    return [
        *_rows("Conditions in it", group.conditions.all()),
        *_translated(group.topic, f"risk_groups/{group.key}/"),
        *_reviewed(group.topic, f"risk_groups/{group.key}"),
    ]


@uses_of.register
def _(advice: Advice) -> list[Use]:
    place = f"advice/{advice.scope}/{advice.key}"
    return [
        *_given(advice),
        *_translated(advice.topic, f"{place}/"),
        *_reviewed(advice.topic, place),
    ]


@uses_of.register
def _(term: GlossaryTerm) -> list[Use]:
    return [
        *_saying(term),
        *_translated(term.topic, f"glossary/{term.term}/"),
    ]


@uses_of.register
def _(topic: Topic) -> list[Use]:
    numbers = Likelihood.objects.filter(condition__topic=topic)
    own = topic.pk
    return [
        *_counted("Releases of it", topic.releases, topic__id__exact=own),
        *_counted("Conditions", topic.conditions, topic__id__exact=own),
        *_counted("Questions", topic.features, topic__id__exact=own),
        *_counted("Likelihoods", numbers, condition__topic__id__exact=own),
        *_counted("Red flags", topic.red_flags, topic__id__exact=own),
        *_counted("Syndromes", topic.syndromes, topic__id__exact=own),
        *_counted("Risk groups", topic.risk_groups, topic__id__exact=own),
        *_counted("Advice", topic.advice, topic__id__exact=own),
        *_counted("Explained words", topic.glossary, topic__id__exact=own),
        *_counted("Translations", topic.translations, topic__id__exact=own),
        *_counted("Saved cases", topic.saved_cases, topic__id__exact=own),
    ]


# How uses are found


def _page(row: models.Model) -> str:
    return reverse(f"admin:content_{row._meta.model_name}_change", args=[row.pk])


def _list(model: type[models.Model], **filters: int | str) -> str:
    address = reverse(f"admin:content_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode(filters)}"


def _rows(how: str, rows: "QuerySet[models.Model]") -> Iterator[Use]:
    for row in rows:
        yield Use(how, str(row), _page(row))


def _answers(how: str, options: QuerySet[Option]) -> Iterator[Use]:
    """“Yes” alone would not say to which question."""
    for option in options.select_related("feature").order_by("feature__order", "order"):
        yield Use(how, f"{option.feature.name}: {option.text}", _page(option.feature))


def _counted(
    how: str, rows: "models.Manager[models.Model] | QuerySet[models.Model]", **filters: int
) -> Iterator[Use]:
    """Yield one use for all of the rows: there are too many to name, and they have a list."""
    if count := rows.count():
        yield Use(how, f"{count} of them", _list(rows.model, **filters))


def _syndromes(**filters: models.Model) -> QuerySet[Syndrome]:
    return Syndrome.objects.filter(**filters).distinct()


def _advice_for(row: Condition | RedFlag) -> QuerySet[Advice]:
    if isinstance(row, Condition):
        scopes = [AdviceScope.CONDITION, AdviceScope.STATE]
    else:
        scopes = [AdviceScope.FLOOR] if row.kind == RuleKind.FLOOR else []
    return row.topic.advice.filter(scope__in=scopes, key=row.key)


def _given(advice: Advice) -> Iterator[Use]:
    topic = advice.topic
    match advice.scope:
        case AdviceScope.URGENCY:
            urgent = {"urgency": advice.key}
            yield from _rows("Red flags that lead to it", topic.red_flags.filter(**urgent))
            yield from _rows("Conditions that lead to it", topic.conditions.filter(**urgent))
            yield from _rows("Risk groups that lead to it", topic.risk_groups.filter(**urgent))
            if advice.key == Urgency.SELF_CARE:
                yield Use("Everybody else", "People whom nothing makes more urgent", _page(topic))
        case AdviceScope.FLOOR:
            yield from _rows("The rule that leads to it", topic.red_flags.filter(key=advice.key))
        case _:
            yield from _rows("The condition it is for", topic.conditions.filter(key=advice.key))


def _reading(topic: Topic, reads: Callable[[Expression], bool]) -> Iterator[Use]:
    """Yield the rules and the gates that read something. What cannot be parsed reads nothing."""
    for flag in topic.red_flags.all():
        if (expression := _parsed(flag.rule)) and reads(expression):
            yield Use("Red flags and rules that read it", flag.title, _page(flag))
    for feature in topic.features.exclude(asked_if=""):
        if (expression := _parsed(feature.asked_if)) and reads(expression):
            yield Use("Questions that are asked depending on it", feature.name, _page(feature))


def _parsed(rule: str) -> Expression | None:
    try:
        return parse(rule)
    except RuleError:
        return None


def _names(expression: Expression, feature: str, option: str) -> bool:
    for literal in literals(expression):
        match literal:
            case Is(key, options) if key == feature and option in options:
                return True
            case Has(key, one) if key == feature and one == option:
                return True
    return False


# Of each model with texts that patients read, the part of a document that its rows are.
WRITTEN: Mapping[type[models.Model], str] = {
    Topic: "topic",
    Condition: "conditions",
    Feature: "features",
    Option: "options",
    RedFlag: "red_flags",
    Syndrome: "syndromes",
    RiskGroup: "risk_groups",
    Advice: "advice",
}


def _saying(term: GlossaryTerm) -> Iterator[Use]:
    """Yield every row with a text that uses the word."""
    row = {"term": term.term, "meaning": term.meaning, "also": term.also}
    glossary = Glossary(terms_of([row]))
    for model, part in WRITTEN.items():
        for each in _of(model, term.topic):
            if glossary.terms_in(*(getattr(each, name) for name in TEXTS[part])):
                kind = str(model._meta.verbose_name_plural)
                owner = each.feature if isinstance(each, Option) else each
                yield Use(f"Used in {kind}", str(each), _page(owner))


def _of(model: type[models.Model], topic: Topic) -> Iterable[models.Model]:
    if model is Topic:
        return [topic]
    if model is Option:
        return Option.objects.filter(feature__topic=topic).select_related("feature")
    return model._default_manager.filter(topic=topic)


def _explained(feature: Feature) -> Iterator[Use]:
    """Yield the words that the glossary explains below the question."""
    glossary = Glossary(terms_of(feature.topic.glossary.values("term", "meaning", "also")))
    texts = [getattr(feature, name) for name in TEXTS["features"]]
    found = glossary.terms_in(*texts, *feature.options.values_list("text", flat=True))
    words = {term.word for term in found}
    yield from _rows(
        "Words in it that are explained", feature.topic.glossary.filter(term__in=words)
    )


def _cases(
    topic: Topic, *, answering: str = "", with_option: str = "", expecting: str = ""
) -> Iterator[Use]:
    for case in topic.saved_cases.all():
        answer = case.answers.get(answering)
        answers = with_option in (answer if isinstance(answer, list) else [answer])
        if expecting and expecting in case.expected.get("conditions", []):
            yield Use("Saved cases that have it", case.key, _page(case))
        if answering in case.answers and (answers or not with_option):
            yield Use("Saved cases that answer it", case.key, _page(case))


def _translated(topic: Topic, start: str, how: str = "Translations") -> Iterator[Use]:
    rows = topic.translations.filter(place__startswith=start).order_by("language")
    for language, count in rows.values_list("language").annotate(Count("pk")):
        link = _list(Translation, topic__id__exact=topic.pk, language__exact=language, q=start)
        yield Use(how, f"{count} in “{language}”", link)


def _reviewed(topic: Topic, place: str) -> Iterator[Use]:
    yield from _rows("Reviews of it", topic.reviews.filter(place=place))
