"""What can be done with an assessment. Each service makes one write, last, and holds no lock.

An answer is read, thought about, and written with `UPDATE ... WHERE revision = n`. Whoever comes
second finds that nothing matched, reads again and thinks again.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.db import transaction

from triage.content.models import Release, Snapshot, Topic
from triage.content.releases import NothingPublished, live_release
from triage.content.snapshots import forget_unused
from triage.engine import (
    Ask,
    Conclude,
    Evidence,
    FeatureKey,
    Knowledge,
    Reply,
    RuleKey,
    RuleKind,
    Step,
    Urgency,
    applies,
    fired,
    next_step,
    reply_to_json,
)

from . import erasure, signals
from .models import Assessment, AssessmentQuerySet, Token, hash_of

TRIES = 5
SNAPSHOTS_LAST = timedelta(days=7)
"""How long a draft is kept that was measured or tried out, and not submitted: each is some 900 kB."""


class Terminal(Protocol):
    """A device that one person after another uses, as far as an assessment has to know of it."""

    @property
    def pk(self) -> int: ...

    @property
    def idle_limit(self) -> timedelta:
        """How long an assessment lasts there when nothing happens."""


class NoAssessment(Exception):
    """No assessment has this token: it was deleted, purged, or never was."""


class Expired(Exception):
    """Nothing happened in it for longer than answers are kept."""


class Recalled(Exception):
    """Its release was withdrawn for safety."""

    def __init__(self, assessment: Assessment) -> None:
        super().__init__()
        self.assessment = assessment


class NotAskedHere(Exception):
    """The feature does not stand at this number, or no longer applies."""


class ChangedSince(Exception):
    """The same feature was given another reply after this form was shown."""

    def __init__(self, theirs: Reply) -> None:
        super().__init__()
        self.theirs = theirs


class Withdraws(Exception):
    """The change takes back raised red flags, and was not confirmed."""

    def __init__(self, flags: tuple[RuleKey, ...], revision: int) -> None:
        super().__init__()
        self.flags = flags
        self.revision = revision


class Finished(Exception):
    """The answers were accepted as they are: the way in which they came about stands."""


class Overtaken(Exception):
    """Other writers came first each time we tried."""


@dataclass(frozen=True, slots=True)
class Progress:
    """An assessment, and what comes next in it."""

    assessment: Assessment
    step: Step


@dataclass(frozen=True, slots=True)
class Implied:
    """What a set of replies implies. An assessment stores it, and a replay gives it again."""

    step: Step
    flags: tuple[RuleKey, ...]
    urgency: Urgency | None
    emergency: bool

    @property
    def columns(self) -> dict[str, Any]:
        asked = self.step.feature if isinstance(self.step, Ask) else ""
        return {
            "asking": asked,
            "concluded": not asked,
            "urgency": self.urgency,
            "flags": list(self.flags),
        }


def implied(knowledge: Knowledge, evidence: Evidence) -> Implied:
    """Replay the replies. `emergency` says that a rule, not a probability, ended the interview."""
    step = next_step(knowledge, evidence)
    rules = [knowledge.rule(key) for key in fired(knowledge, evidence)]
    reached = max((rule.urgency for rule in rules), default=None)
    match step:
        case Ask():
            urgency = reached
        case Conclude(disposition):
            urgency = disposition.urgency
    return Implied(
        step=step,
        flags=tuple(rule.key for rule in rules if rule.kind is RuleKind.RED_FLAG),
        urgency=urgency,
        emergency=isinstance(step, Conclude) and reached is Urgency.EMERGENCY_NOW,
    )


def live_release_here() -> Release:
    """Return the release that a new assessment starts on: that of the first topic that has one.

    Raises NothingPublished, for the reason of the first topic.
    """
    refusals = []
    for topic in Topic.objects.order_by("pk").values_list("key", flat=True):
        try:
            return live_release(topic)
        except NothingPublished as nothing:
            refusals.append(nothing)
    raise next(iter(refusals), NothingPublished("There is no content yet: manage.py load_content."))


def live_releases_here() -> list[int]:
    """Return what every topic shows now, the first topic first."""
    live = Release.objects.not_recalled().for_patients().order_by("topic_id", "number")
    newest = dict(live.values_list("topic_id", "pk"))
    return list(newest.values())


def start(
    *,
    on: Release | Snapshot,
    language: str,
    voice: Assessment.Voice,
    now: datetime,
    terminal: Terminal | None = None,
) -> tuple[Token, Assessment]:
    """Start an assessment on a release, at home or at a terminal, or a trial on a draft. Nobody but
    the caller ever holds the token."""
    pinned: dict[str, Any]
    match on:
        case Release() if terminal:
            pinned = {
                "release_id": on.pk,
                "channel": Assessment.Channel.KIOSK,
                "device": terminal.pk,
                "idle_limit": terminal.idle_limit,
            }
        case Release():
            pinned = {"release_id": on.pk, "channel": Assessment.Channel.HOME}
        case Snapshot():
            pinned = {"snapshot_id": on.pk, "channel": Assessment.Channel.TRIAL}
    token = Token(secrets.token_urlsafe(32))
    assessment = Assessment(
        token_hash=hash_of(token),
        **pinned,
        language=language,
        voice=voice,
        started_at=now,
        active_at=now,
    )
    columns = implied(assessment.content.knowledge, Evidence()).columns
    for name, value in columns.items():
        setattr(assessment, name, value)
    if terminal is None:
        assessment.save(force_insert=True)
    else:
        with transaction.atomic():
            assessment.save(force_insert=True)
            signals.begun.send(Assessment, assessment=assessment, terminal=terminal)
    return token, assessment


def copy_home(
    *,
    release: Release,
    replies: list[Any],
    set_by: list[str],
    withdrawn: list[str],
    voice: Assessment.Voice,
    language: str,
    now: datetime,
) -> tuple[Token, Assessment]:
    """Give somebody their finished assessment to take home: the same replies, on a device of their
    own."""
    token = Token(secrets.token_urlsafe(32))
    assessment = Assessment(
        token_hash=hash_of(token),
        release=release,
        revision=1,
        language=language,
        voice=voice,
        started_at=now,
        active_at=now,
        replies=replies,
        set_at=[1] * len(replies),
        set_by=set_by,
        withdrawn=withdrawn,
    )
    columns = implied(assessment.content.knowledge, assessment.evidence).columns
    for name, value in columns.items():
        setattr(assessment, name, value)
    assessment.finished_at = now if assessment.concluded else None
    assessment.save(force_insert=True)
    return token, assessment


def find(*, token: Token, now: datetime) -> Assessment:
    """Return the assessment of this token, in one statement.

    Raises NoAssessment, Expired, or Recalled.
    """
    return _still_open(hash_of(token), now)


def _still_open(token_hash: str, now: datetime) -> Assessment:
    assessment = Assessment.objects.find(token_hash)
    if assessment is None:
        raise NoAssessment
    if assessment.is_expired(now):
        raise Expired
    if assessment.recalled:
        raise Recalled(assessment)
    return assessment


def progress(assessment: Assessment) -> Progress:
    return Progress(assessment, next_step(assessment.content.knowledge, assessment.evidence))


def feature_at(assessment: Assessment, number: int) -> FeatureKey:
    """Return the feature that stands at this number.

    Raises NotAskedHere if none does, or if its question no longer applies.
    """
    asked = assessment.features
    if 1 <= number <= len(asked):
        feature = asked[number - 1]
        if applies(assessment.content.knowledge, assessment.evidence, feature):
            return feature
    elif number == len(asked) + 1 and assessment.asking:
        return FeatureKey(assessment.asking)
    raise NotAskedHere


def number_of(assessment: Assessment, feature: FeatureKey) -> int | None:
    """Return the number at which this feature is asked, or None if it is not asked now."""
    asked = [*assessment.features, FeatureKey(assessment.asking)]
    number = asked.index(feature) + 1 if feature in asked else 0
    try:
        feature_at(assessment, number)
    except NotAskedHere:
        return None
    return number


def answer(
    *,
    assessment: Assessment,
    number: int,
    feature: FeatureKey,
    reply: Reply,
    revision: int,
    confirmed: bool,
    now: datetime,
) -> Progress:
    """Set the reply to one feature and return what comes next. Safe to repeat.

    `revision` is that of the form which was answered. Changes to other features since then are
    kept; raises NotAskedHere, ChangedSince or Withdraws where they say why this one cannot be
    made as it is, Overtaken after five tries, and what `find` raises if the row went meanwhile.
    The same reply once more is a repeat, unless it was looked at again in another voice.
    """
    for _ in range(TRIES):
        if feature_at(assessment, number) != feature:
            raise NotAskedHere
        stored = assessment.reply(feature)
        if stored is not None:
            set_since = assessment.set_at[number - 1] > revision
            if set_since and stored != reply:
                raise ChangedSince(stored)
            if stored == reply and (set_since or assessment.set_by[number - 1] == assessment.voice):
                return progress(assessment)
        evidence = assessment.evidence.set(feature, reply)
        follows = implied(assessment.content.knowledge, evidence)
        lost = tuple(flag for flag in assessment.flags if flag not in follows.flags)
        if lost and not (confirmed and revision == assessment.revision):
            raise Withdraws(lost, assessment.revision)
        columns = _columns(assessment, number, evidence, follows, lost, now)
        if Assessment.objects.write(assessment, columns):
            flags = assessment.flags
            for name, value in columns.items():
                setattr(assessment, name, value)
            if assessment.device is not None:
                _tell(assessment, flags, now)
            return Progress(assessment, follows.step)
        assessment = _still_open(assessment.token_hash, now)
    raise Overtaken


def _tell(assessment: Assessment, flags_before: list[str], now: datetime) -> None:
    """Tell others what an answer at a terminal came to. It is saved, so nothing they do undoes it."""
    if assessment.flags != flags_before:
        signals.flags_changed.send_robust(Assessment, assessment=assessment, now=now)
    if assessment.finished_at is not None:
        signals.concluded.send_robust(Assessment, assessment=assessment, now=now)


def _columns(
    assessment: Assessment,
    number: int,
    evidence: Evidence,
    follows: Implied,
    lost: tuple[RuleKey, ...],
    now: datetime,
) -> dict[str, Any]:
    revision = assessment.revision + 1
    set_at, set_by = list(assessment.set_at), list(assessment.set_by)
    set_at[number - 1 :] = [revision, *set_at[number:]]
    set_by[number - 1 :] = [assessment.voice, *set_by[number:]]
    return follows.columns | {
        "revision": revision,
        "replies": [[key, reply_to_json(reply)] for key, reply in evidence],
        "set_at": set_at,
        "set_by": set_by,
        "withdrawn": list(dict.fromkeys([*assessment.withdrawn, *lost])),
        "active_at": now,
        # An emergency is shown at once; any other change is read through once more.
        "finished_at": now if follows.emergency else None,
    }


def change_voice(*, assessment: Assessment, voice: Assessment.Voice, now: datetime) -> Assessment:
    """Go on in another voice. Replies keep the one in which they were set. Safe to repeat.

    The revision stays, so that no form that is open elsewhere goes out of date. Raises Finished,
    Overtaken after five tries, and what `find` raises if the row went meanwhile.
    """
    columns = {"voice": voice, "active_at": now}
    for _ in range(TRIES):
        if assessment.finished_at is not None:
            raise Finished
        if assessment.voice == voice:
            return assessment
        if Assessment.objects.unchanged(assessment).filter(finished_at=None).update(**columns):
            assessment.voice, assessment.active_at = voice, now
            return assessment
        assessment = _still_open(assessment.token_hash, now)
    raise Overtaken


def finish(*, assessment: Assessment, now: datetime) -> bool:
    """Accept the answers as they are. Returns whether the interview was indeed at its end."""
    if assessment.finished_at is None:
        columns = {"finished_at": now, "active_at": now}
        if not Assessment.objects.unchanged(assessment).filter(concluded=True).update(**columns):
            return False
        assessment.finished_at = assessment.active_at = now
        if assessment.device is not None:
            signals.concluded.send_robust(Assessment, assessment=assessment, now=now)
    return True


def touch(*, token: Token, now: datetime, idle_limit: timedelta | None = None) -> bool:
    """Say that the person is still there, and let their assessment last longer from now on, if they
    need that. Returns whether there is one."""
    longer = {} if idle_limit is None else {"idle_limit": idle_limit}
    running = Assessment.objects.of(token).exclude(pk__in=Assessment.objects.expired(now))
    return bool(running.update(active_at=now, **longer))


def delete(*, token: Token, now: datetime) -> bool:
    """Delete the assessment of this token, if there is one; True once no file of ours holds it."""
    count = _delete(Assessment.objects.of(token), now)
    return erasure.overwrite() if count else True


def delete_at(*, device: int, now: datetime) -> bool:
    """Delete whatever stands at this terminal, if anything does; True as for `delete`."""
    there = Assessment.objects.filter(device=device)
    count = _delete(there, now) if there.exists() else 0
    return erasure.overwrite() if count else True


def _delete(assessments: AssessmentQuerySet, now: datetime) -> int:
    """Delete these, once whoever has to keep something of them has it."""
    with transaction.atomic():
        signals.leaving.send(Assessment, assessments=assessments, now=now)
        count, _ = assessments.delete()
    return count


def purge(*, now: datetime) -> tuple[int, bool]:
    """Delete what has expired, and drafts that were only looked at. Returns how many assessments, and
    whether no file of ours holds them any more."""
    count = _delete(Assessment.objects.expired(now), now)
    signals.purging.send(Assessment, now=now)
    tried_out = Assessment.objects.filter(snapshot__isnull=False).values("snapshot")
    forget_unused(made_before=now - SNAPSHOTS_LAST, used=tried_out)
    return count, erasure.overwrite()
