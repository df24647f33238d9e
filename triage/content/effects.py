"""What a draft would change, worked out in a process of its own and kept.

`Effect.figures` is what `triage.evaluation.effects` says. A page shows it by

    {% include "content/effect_table.html" with effect=effect %}

with `effect` the row: how far it is, what went wrong, or the tables.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from triage.engine import ENGINE_VERSION, Unsound
from triage.evaluation.effects import PEOPLE, SEED, Described, figures_of

from .knowledge import knowledge_of
from .models import Effect, Release, Snapshot, Topic
from .saved_cases import described
from .snapshots import content_of_snapshot

CASES = settings.BASE_DIR / "tests" / "cases"
OFTEN = 0.5
"""Seconds from one word of how far it is to the next."""

GIVEN_UP_AFTER = timedelta(seconds=60)
"""Without a word from it, the process is taken to be gone."""

PROCESSES = 2
"""More of them would keep the pages of patients waiting."""


def cases_of(topic: Topic) -> tuple[Described, ...]:
    """Return all cases of a topic: those that come with it, and those that the clinic saved."""
    return (*_shipped_cases(topic.key), *map(described, topic.saved_cases.order_by("key")))


def _shipped_cases(topic: str) -> Iterator[Described]:
    for path in sorted((CASES / topic).glob("*.jsonl")):
        for line in filter(str.strip, path.read_text(encoding="utf-8").splitlines()):
            case = json.loads(line)
            yield Described(path.stem, str(case.get("id")), str(case.get("story", "")), line)


def find_effect(topic: Topic, draft_sha256: str, live: Release | None) -> Effect | None:
    """Return the effect of a draft, measured or being measured; None if nobody asked for it."""
    return Effect.objects.filter(
        draft__topic=topic,
        draft__sha256=draft_sha256,
        live_sha256=live.sha256 if live else "",
        cases_sha256=_digest(cases_of(topic)),
    ).first()


def effect_of(snapshot: Snapshot, live: Release | None) -> Effect:
    """Return the effect of a draft against what is live. Whoever asks first has it measured."""
    cases = cases_of(snapshot.topic)
    effect, is_new = Effect.objects.get_or_create(
        draft=snapshot,
        live_sha256=live.sha256 if live else "",
        cases_sha256=_digest(cases),
        defaults={"people_total": PEOPLE + len(cases)},
    )
    if is_new:
        start(effect)
    return effect


def _digest(cases: tuple[Described, ...]) -> str:
    """Return a hash of all on which figures hang besides the two sides."""
    told = [ENGINE_VERSION, PEOPLE, SEED, [[case.name, case.text] for case in cases]]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def is_given_up(effect: Effect) -> bool:
    """Whether the process that measures it is gone."""
    waits = effect.figures is None and not effect.failed
    return waits and timezone.now() - effect.moved_at > GIVEN_UP_AFTER


def start_again(effect: Effect) -> None:
    """Measure it from the start, if it failed or was given up. Two presses start it once."""
    may = Q(failed__gt="") | Q(moved_at__lt=timezone.now() - GIVEN_UP_AFTER)
    again = Effect.objects.filter(may, pk=effect.pk, figures__isnull=True).update(
        people_done=0, failed="", moved_at=timezone.now()
    )
    effect.refresh_from_db()
    if again:
        start(effect)


_started: "list[subprocess.Popen[bytes]]" = []
"""Kept until they have ended: one that nobody waits for would stay behind as a zombie."""


def start(effect: Effect) -> None:
    """Have it measured in a process of its own, which goes on when this one ends."""
    transaction.on_commit(lambda: _start(effect))  # before, nobody else can read the row


def _start(effect: Effect) -> None:
    _started[:] = [process for process in _started if process.poll() is None]
    _started.append(
        subprocess.Popen(
            [sys.executable, "manage.py", "measure_effect", str(effect.pk), "--wait-for-patients"],
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
    )


def measure(effect: Effect, processes: int | None = None) -> None:
    """Work the effect out and keep it, or the sentence that says why it cannot be.

    Any error but that of a draft that the engine refuses is raised again.
    """
    topic = effect.draft.topic
    try:
        figures = _figures_of(effect, topic, processes or _processes())
    except Unsound as unsound:
        _keep(effect, failed=f"The engine refuses these drafts. {' '.join(unsound.faults)}")
    except Exception as error:
        _keep(effect, failed=f"It stopped on an error that is in the log: {type(error).__name__}.")
        raise
    else:
        _keep(effect, figures=figures, people_done=F("people_total"))


def _figures_of(effect: Effect, topic: Topic, processes: int) -> dict[str, Any]:
    cases, live = cases_of(topic), None
    if effect.live_sha256:
        release = topic.releases.filter(sha256=effect.live_sha256).latest("number")
        live = knowledge_of(release.pk)
    before = _kept_figures(effect)
    sides = 1 if live is None or before is not None else 2
    _keep(effect, people_done=0, people_total=sides * PEOPLE + len(cases))
    return figures_of(
        content_of_snapshot(effect.draft_id).knowledge,
        live,
        cases,
        before=before,
        people=PEOPLE,
        seed=SEED,
        processes=processes,
        told=_teller(effect),
    )


def _kept_figures(effect: Effect) -> Mapping[str, Any] | None:
    """Return what is known of people on the live side from earlier measuring, of whichever draft."""
    live = effect.live_sha256
    own = (PEOPLE, SEED, ENGINE_VERSION)
    earlier = Effect.objects.filter(
        Q(live_sha256=live) | Q(draft__sha256=live),
        draft__topic=effect.draft.topic,
        figures__isnull=False,
    ).select_related("draft")
    for other in earlier if live else ():
        people = (other.figures or {})["people"]
        if (people["count"], people["seed"], people["engine"]) == own:
            kept: Mapping[str, Any] | None
            kept = people["after"] if other.draft.sha256 == live else people["before"]
            return kept
    return None


def _teller(effect: Effect) -> Callable[[int], None]:
    done, last = 0, time.monotonic()

    def told(more: int) -> None:
        nonlocal done, last
        done += more
        if time.monotonic() - last >= OFTEN:
            last = time.monotonic()
            _keep(effect, people_done=done)

    return told


def _keep(effect: Effect, **columns: Any) -> None:
    Effect.objects.filter(pk=effect.pk).update(moved_at=timezone.now(), **columns)


def _processes() -> int:
    if hasattr(os, "sched_getaffinity"):  # what a container may use, not what the machine has
        return min(PROCESSES, len(os.sched_getaffinity(0)))
    return min(PROCESSES, os.cpu_count() or 1)
