"""Copies of a condition, a question or a whole topic, to be changed where they differ.

A copy brings with it all that makes it whole, and changes nothing else. What a clinician signed off
or checked was the original, so a copy waits for that again.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models
from django.db.models import Max, QuerySet, Sum

from .audit import changing
from .choices import AdviceScope, TranslationStatus
from .models import (
    Condition,
    Feature,
    Likelihood,
    Option,
    SyndromeChance,
    SyndromeMember,
    Topic,
    Translation,
)

WHOLE = 100  # per cent: what the priors of a topic make together
ROUNDING = 1e-6

type Known = dict[tuple[type[models.Model], int], models.Model]
"""The copy of each row that was copied, by the original's model and primary key."""


class CannotCopy(Exception):
    """Why there is no copy; nothing of it was kept."""


def copy_condition(condition: Condition, *, key: str, name: str, who: User, why: str) -> Condition:
    """Copy a condition with its numbers, its memberships, its advice and their translations.

    Raises CannotCopy if the key is unfit or taken.
    """
    copy = _new(condition, key=key, plain_name=name)
    _check(copy, "plain_name", taken=condition.topic.conditions.filter(key=key))
    with _all_or_nothing(who, why, key):
        _save(copy, condition)
        known: Known = {(Condition, condition.pk): copy}
        _copy(condition.likelihoods.all(), known)
        _copy(condition.syndrome_chances.all(), known)
        _copy(condition.syndrome_members.all(), known)
        for group in condition.risk_groups.all():
            group.conditions.add(copy)
        own = [AdviceScope.CONDITION, AdviceScope.STATE]
        for advice in condition.topic.advice.filter(scope__in=own, key=condition.key):
            _copy([advice], known, key=key)
            place = f"advice/{advice.scope}"
            _translate(condition.topic, f"{place}/{condition.key}/", f"{place}/{key}/")
        _translate(condition.topic, f"conditions/{condition.key}/", f"conditions/{key}/")
    return copy


def copy_feature(feature: Feature, *, key: str, name: str, who: User, why: str) -> Feature:
    """Copy a question with its answers, their numbers, and the translations of both; it comes last.

    Raises CannotCopy if the key is unfit or taken.
    """
    topic = feature.topic
    last = topic.features.aggregate(last=Max("order"))["last"]
    copy = _new(feature, key=key, name=name, order=last + 1)
    _check(copy, "name", taken=topic.features.filter(key=key))
    with _all_or_nothing(who, why, key):
        _save(copy, feature)
        known: Known = {(Feature, feature.pk): copy}
        _copy(feature.options.all(), known)
        _copy(Likelihood.objects.filter(option__feature=feature), known)
        _copy(SyndromeMember.objects.filter(option__feature=feature), known)
        for part in ("features", "options"):
            _translate(topic, f"{part}/{feature.key}/", f"{part}/{key}/")
    return copy


def copy_topic(topic: Topic, *, key: str, name: str, who: User, why: str) -> Topic:
    """Copy all drafts of a topic. What is evidence of the original only stays with it: releases,
    reviews, calibration studies and saved cases.

    Raises CannotCopy if the key is unfit or taken.
    """
    copy = _new(topic, key=key, title=name, says_in_100=False)
    _check(copy, "title", taken=Topic.objects.filter(key=key))
    with _all_or_nothing(who, why, key):
        _save(copy, topic)
        known: Known = {(Topic, topic.pk): copy}
        _copy(topic.conditions.all(), known)
        _copy(topic.features.all(), known)
        _copy(Option.objects.filter(feature__topic=topic), known)
        _copy(Likelihood.objects.filter(condition__topic=topic), known)
        _copy(topic.syndromes.all(), known)
        _copy(SyndromeChance.objects.filter(syndrome__topic=topic), known)
        _copy(SyndromeMember.objects.filter(syndrome__topic=topic), known)
        for rows in (topic.red_flags, topic.risk_groups, topic.advice, topic.glossary):
            _copy(rows.all(), known)
        own = f"topic/{topic.key}/"
        _copy(_unchecked(topic.translations.exclude(place__startswith=own)), known)
        _translate(topic, own, f"topic/{key}/", known)
    return copy


def left_to_do(copy: Condition | Feature | Topic) -> list[str]:
    """Return what a copy does not settle by itself, each a sentence that staff can act on."""
    match copy:
        case Condition():
            return [*_after_condition(copy)]
        case Feature():
            return [
                f"It is asked last, at place {copy.order}: move it, if that is not where it belongs.",
                "No rule reads it yet, and it asks what the original asks, word for word: change it.",
            ]
        case Topic():
            return [
                "Its texts still speak of the original: change them, its title in other languages too.",
                "Reviews, calibration studies, saved cases and releases stay with the original.",
            ]


def _after_condition(copy: Condition) -> Iterable[str]:
    ranked = copy.topic.conditions.ranked()
    total = ranked.aggregate(total=Sum("prior_percent"))["total"] or 0
    if abs(total - WHOLE) > ROUNDING * WHOLE:
        yield (
            f"The priors of the topic add up to {total:g} % now, not {WHOLE} %: share out those of"
            " the original and of the copy anew."
        )
    yield "Its numbers, its summary and its advice are those of the original: change what differs."


@contextmanager
def _all_or_nothing(who: User, why: str, key: str) -> Iterator[None]:
    try:
        with changing(who=who, why=why):
            yield
    except IntegrityError:
        raise CannotCopy(
            f"An advice or a translation of an earlier “{key}” is still there. Choose another key."
        ) from None


def _new[M: models.Model](row: M, **changes: object) -> M:
    """Return a row that is like another one but for the changes, not saved yet."""
    fields = [field for field in row._meta.concrete_fields if not field.primary_key]
    copy = type(row)(**{field.attname: getattr(row, field.attname) for field in fields})
    for name, value in changes.items():
        setattr(copy, name, value)
    if any(field.name == "needs_clinical_sign_off" for field in fields):
        copy.needs_clinical_sign_off = True  # type: ignore[attr-defined] # it is one of its fields
    return copy


def _check(copy: Condition | Feature | Topic, name: str, *, taken: "QuerySet[Any]") -> None:
    """Look at what is new only: the rest may be half done, in the original as in the copy."""
    if taken.exists():
        raise CannotCopy(f"The key “{copy.key}” is taken. Choose another one.")
    old = {field.name for field in copy._meta.concrete_fields} - {"key", name}
    try:
        copy.clean_fields(exclude=old)
        copy.validate_constraints(exclude=old)
    except ValidationError as refused:
        raise CannotCopy(" ".join(refused.messages)) from None


def _save(copy: models.Model, original: models.Model) -> None:
    copy.save(force_insert=True)
    for field in original._meta.many_to_many:
        getattr(copy, field.name).set(getattr(original, field.name).all())


def _copy(rows: "Iterable[models.Model]", known: Known, **changes: object) -> None:
    """Add a copy of each row, all of one model: what it names that was copied too, by the copy."""
    originals = list(rows)
    copies = [_new(row, **changes) for row in originals]
    if not copies:
        return
    model = type(copies[0])
    for copy in copies:
        for field in model._meta.concrete_fields:
            named: Any = field.related_model
            if field.is_relation and (other := known.get((named, getattr(copy, field.attname)))):
                setattr(copy, field.name, other)
    model._default_manager.bulk_create(copies)
    known.update({(model, row.pk): copy for row, copy in zip(originals, copies, strict=True)})
    for many in model._meta.many_to_many:
        through: Any = many.remote_field.through
        _copy(through.objects.filter(**{f"{many.m2m_field_name()}__in": originals}), known)


def _translate(topic: Topic, start: str, to: str, known: Known | None = None) -> None:
    """Copy the translations of all places that start so."""
    rows = [*_unchecked(topic.translations.filter(place__startswith=start))]
    for row in rows:
        row.place = to + row.place.removeprefix(start)
    _copy(rows, known or {})


def _unchecked(rows: Iterable[Translation]) -> Iterator[Translation]:
    """Yield translations to be copied; that a text was checked is true of the original only."""
    for row in rows:
        if row.status == TranslationStatus.CHECKED:
            row.status = TranslationStatus.TRANSLATED
        yield row
