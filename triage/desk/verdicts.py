"""What clinicians say afterwards: was the urgency right, and what was it?

Neither a reply nor a ticket is kept, and no time of day. The reference follows from the secret of
the link of what was handed over: once that is deleted, nothing leads from the one to the other.
"""

from datetime import date, timedelta

from django.utils.crypto import salted_hmac

from triage.content.knowledge import content_of
from triage.engine import ConditionKey
from triage.handover.codes import BETWEEN, LETTERS
from triage.handover.models import Handover
from triage.handover.summary import Summary

from .models import Judgement, Verdict

LENGTH = 8
MOST_LEADING = 10
DECIMALS = 2
"""Of a posterior: enough for tenths. With six of them the replies could be worked out again."""

UNSAID_LASTS = timedelta(days=365)
"""As long as a cause may take to be found out. What nobody said anything on is no evidence."""

OTHER = "other"
REST = ""


class NoSuchReference(Exception):
    """No note has this reference."""


class Stands(Exception):
    """It was said in an earlier month, which is counted already."""

    def __init__(self, since: date) -> None:
        super().__init__()
        self.since = since


class NoSuchCause(Exception):
    """The release does not have this condition."""


def keep(*, handover: Handover, summary: Summary, on: date) -> Verdict:
    """Return the verdict on what a clinician has opened, begun if it is not there yet."""
    verdict, _ = Verdict.objects.get_or_create(
        reference=reference_of(handover),
        defaults={
            "release_id": handover.release_id,
            "urgency": summary.urgency,
            "leading": _leading(summary),
            "made_on": on,
        },
    )
    return verdict


def reference_of(handover: Handover) -> str:
    """Return what stands on the note: K7M4-QX2P, 28 to the power of 8."""
    mac = salted_hmac(__name__, handover.link_hash, algorithm="sha256").digest()
    number = int.from_bytes(mac)
    letters = ""
    for _ in range(LENGTH):
        number, place = divmod(number, len(LETTERS))
        letters += LETTERS[place]
    return f"{letters[:4]}-{letters[4:]}"


def _leading(summary: Summary) -> list[list[str | float]]:
    told = [
        (str(cause.key), round(cause.posterior, DECIMALS))
        for cause in summary.differential[:MOST_LEADING]
    ]
    rest = max(0.0, round(1 - sum(posterior for _, posterior in told), DECIMALS))
    return [[key, posterior] for key, posterior in [*told, (REST, rest)]] if told else []


def find(reference: str) -> Verdict:
    """Return the verdict on the note with this reference, however it is typed.

    Raises NoSuchReference.
    """
    plain = BETWEEN.sub("", reference).upper()
    if len(plain) != LENGTH or not set(plain) <= set(LETTERS):
        raise NoSuchReference
    known = Verdict.objects.select_related("release__topic").defer("release__document")
    found = known.filter(reference=f"{plain[:4]}-{plain[4:]}").first()
    if found is None:
        raise NoSuchReference
    return found


def judge_urgency(*, verdict: Verdict, right: Judgement, on: date) -> None:
    """Say whether the urgency was right. Safe to repeat; raises Stands."""
    _check(verdict.urgency_on, on)
    verdict.urgency_right, verdict.urgency_on = right.value, on
    verdict.save(update_fields=["urgency_right", "urgency_on"])


def say_cause(*, verdict: Verdict, cause: str, on: date) -> None:
    """Say what it was: a condition of the release, `OTHER`, or "" as long as it is not known.

    Safe to repeat; raises NoSuchCause and Stands.
    """
    if cause and cause != OTHER and ConditionKey(cause) not in causes_of(verdict):
        raise NoSuchCause
    _check(verdict.cause_on, on)
    verdict.cause, verdict.cause_on = cause, on if cause else None
    verdict.save(update_fields=["cause", "cause_on"])


def forget_unsaid(*, today: date) -> None:
    """Delete what was opened long ago, and nobody said anything on."""
    old = Verdict.objects.filter(made_on__lt=today - UNSAID_LASTS)
    old.filter(urgency_right="", cause="").delete()


def _check(said_on: date | None, on: date) -> None:
    """A month that is over is counted. Were it changed, the counts before and after would tell of
    this one person."""
    if said_on is not None and (said_on.year, said_on.month) != (on.year, on.month):
        raise Stands(said_on)


def causes_of(verdict: Verdict) -> list[ConditionKey]:
    knowledge = content_of(verdict.release_id).knowledge
    return [condition.key for condition in knowledge.conditions]
