"""Whether the links of faults lead to a field that is there."""

import re
from collections.abc import Iterable
from urllib.parse import urldefrag

from django.contrib.auth.models import User
from django.test import Client

from tests.staff.people import sign_in
from triage.content.faults import Fault

NUMBER = re.compile(r"\d+")


def leading_nowhere(faults: Iterable[Fault]) -> list[str]:
    """Return the links of faults that lead to no page, or to no place on it, for somebody who may
    change everything. Of links to the same field of other rows the first is followed: forms take
    long to make."""
    client = sign_in(Client(), User.objects.create_superuser("root"))
    lost, followed = [], set()
    wanted: dict[str, set[str]] = {}
    for fault in faults:
        page, place = urldefrag(fault.link)
        kind = NUMBER.sub("", page.partition("?")[0]), NUMBER.sub("", place)
        if not page:
            lost.append(f"{fault} has no link")
        elif kind not in followed:
            followed.add(kind)
            wanted.setdefault(page, set()).add(place)
    for page, places in wanted.items():
        response = client.get(page)
        text = response.content.decode() if response.status_code == 200 else ""
        lost += [f"{page}#{place}" for place in places if not _is_there(text, place)]
    return lost


def _is_there(text: str, place: str) -> bool:
    return bool(text) and (not place or f'id="{place}"' in text)
