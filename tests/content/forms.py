"""Whether the links of faults lead to a field that is there."""

from collections.abc import Iterable
from urllib.parse import urldefrag

from django.contrib.auth.models import User
from django.test import Client

from tests.staff.people import sign_in
from triage.content.faults import Fault


def leading_nowhere(faults: Iterable[Fault]) -> list[str]:
    """Return the links of faults that lead to no page, or to no place on it, for somebody who may
    change everything. Each page is asked for once."""
    client = sign_in(Client(), User.objects.create_superuser("root"))
    wanted: dict[str, set[str]] = {}
    lost = []
    for fault in faults:
        page, place = urldefrag(fault.link)
        if page:
            wanted.setdefault(page, set()).add(place)
        else:
            lost.append(f"{fault} has no link")
    for page, places in wanted.items():
        response = client.get(page)
        text = response.content.decode() if response.status_code == 200 else ""
        lost += [f"{page}#{place}" for place in places if not _is_there(text, place)]
    return lost


def _is_there(text: str, place: str) -> bool:
    return bool(text) and (not place or f'id="{place}"' in text)
