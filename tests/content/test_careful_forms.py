"""A form that was opened earlier undoes nobody's work."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import models
from django.test import Client
from django.urls import reverse

from tests.staff.people import sign_in
from triage.content.models import Advice, Feature, GlossaryTerm, RedFlag, Source, Topic

from .boxes import boxes_on

FORMS: list[tuple[type[models.Model], str, str]] = [
    (Topic, "title", "covers"),
    (Source, "citation", "locator"),
    (Feature, "purpose", "why_we_ask"),
    (RedFlag, "title", "message"),
    (Advice, "heading", "do_not"),
    (GlossaryTerm, "document_paragraph", "meaning"),
]


@pytest.fixture
def staff(author: User) -> Client:
    return sign_in(Client(), author)


def opened(staff: Client, model: type[models.Model]) -> tuple[Any, str, dict[str, Any]]:
    """Return the first row, the address of its form, and what a browser would post of it."""
    row: Any = model._default_manager.order_by("pk")[0]
    address = reverse(f"admin:content_{model._meta.model_name}_change", args=[row.pk])
    return row, address, boxes_on(staff, address)


@pytest.mark.parametrize(("model", "mine", "theirs"), FORMS)
def test_what_others_wrote_meanwhile_stays(
    topic: Topic, staff: Client, model: type[models.Model], mine: str, theirs: str
) -> None:
    row, address, boxes = opened(staff, model)
    model._default_manager.filter(pk=row.pk).update(**{theirs: "Written by somebody else."})

    response = staff.post(address, boxes | {mine: "Written by me.", "why": "A test."})

    assert response.status_code == 302
    row.refresh_from_db()
    assert (getattr(row, mine), getattr(row, theirs)) == (
        "Written by me.",
        "Written by somebody else.",
    )


@pytest.mark.parametrize(("model", "mine", "theirs"), FORMS)
def test_two_who_wrote_the_same_field_are_told_once(
    topic: Topic, staff: Client, model: type[models.Model], mine: str, theirs: str
) -> None:
    row, address, boxes = opened(staff, model)
    model._default_manager.filter(pk=row.pk).update(**{mine: "Written by somebody else."})
    form = boxes | {mine: "Written by me.", "why": "A test."}

    refused = staff.post(address, form).content.decode()

    assert "Somebody has changed this since you opened the page." in refused
    row.refresh_from_db()
    assert getattr(row, mine) == "Written by somebody else."
    again = boxes_on(staff, address) | {mine: "Written by me.", "why": "A test."}
    assert staff.post(address, again).status_code == 302
    row.refresh_from_db()
    assert getattr(row, mine) == "Written by me."
