"""“About N in 100”: what a release that was checked on people says beside the word for a cause."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from triage.engine import Chance, Ranked
from triage.engine.explanation import chance


def whole(probability: float) -> int:
    """Return so many in a hundred, rounded, but never up to where another word begins.

    Else 0.0996 would be “very unlikely” and stand at 10, where “unlikely” begins.
    """
    rounded = round(100 * probability)
    return rounded - (_word(rounded / 100) is not _word(probability))


def _word(probability: float) -> Chance:
    return chance(probability, probability, probability)


def in_100(ranked: Ranked) -> str:
    """Say how many people have a cause, and how sure that is; 0 and 100 are never claimed."""
    low, n, high = map(whole, (ranked.low, ranked.posterior, ranked.high))
    numbers = {"low": low, "n": n, "high": high}
    if ranked.chance is Chance.HARD_TO_TELL:
        return _range(low, high) % numbers
    return _about(low, n, high) % numbers


def _range(low: int, high: int) -> str:
    match low > 0, high < 100:
        case True, True:
            return _("From %(low)d to %(high)d in 100 people with answers like these have it.")
        case False, True:
            return _("At most %(high)d in 100 people with answers like these have it.")
        case True, False:
            return _("At least %(low)d in 100 people with answers like these have it.")
        case _neither:
            return _(
                "From fewer than 1 to more than 99 in 100 people with answers like these have it."
            )


def _about(low: int, n: int, high: int) -> str:
    if high == 0:
        return _("Fewer than 1 in 100 people with answers like these have it.")
    if n == 0:
        return _("Fewer than 1 in 100 people with answers like these have it (at most %(high)d).")
    if low == 100:
        return _("More than 99 in 100 people with answers like these have it.")
    if n == 100:
        return _("More than 99 in 100 people with answers like these have it (at least %(low)d).")
    if low == 0:
        return ngettext(
            "About %(n)d in 100 people with answers like these has it (at most %(high)d).",
            "About %(n)d in 100 people with answers like these have it (at most %(high)d).",
            n,
        )
    if high == 100:
        return ngettext(
            "About %(n)d in 100 people with answers like these has it (at least %(low)d).",
            "About %(n)d in 100 people with answers like these have it (at least %(low)d).",
            n,
        )
    return ngettext(
        "About %(n)d in 100 people with answers like these has it (from %(low)d to %(high)d).",
        "About %(n)d in 100 people with answers like these have it (from %(low)d to %(high)d).",
        n,
    )
