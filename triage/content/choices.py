"""What a field of the content may hold, in the words that staff read.

The values are the engine's own; a test holds the two together.
"""

from django.db.models import TextChoices


class Urgency(TextChoices):
    """How long a person may wait at the most, from the longest wait to none."""

    SELF_CARE = "self_care", "Self-care at home"
    ROUTINE = "routine", "Routine visit"
    URGENT_2_WEEKS = "urgent_2_weeks", "Within 2 weeks"
    FEW_DAYS = "few_days", "Within 2 to 3 days"
    SAME_DAY = "same_day", "Same day"
    EMERGENCY_NOW = "emergency_now", "Emergency, now"


class Basis(TextChoices):
    STUDY = "study", "Study: the number itself comes from a study"
    GUIDELINE = "guideline", "Guideline: it states the link, the number is ours"
    ESTIMATE = "estimate", "Estimate: an expert-style guess"


class Kind(TextChoices):
    SINGLE = "single", "One answer"
    MULTI = "multi", "Any number of answers"
    NUMBER = "number", "A whole number"


class Tier(TextChoices):
    SAFETY = "safety", "Safety: asked first"
    CORE = "core", "Core"
    FOLLOW_UP = "follow_up", "Follow-up: asked last"


class Observation(TextChoices):
    NONE = "none", "Nothing: from memory or records"
    SELF_FEEL = "self_feel", "Only the person can feel it"
    NEEDS_EYES = "needs_eyes", "Somebody must see the place"
    NEEDS_HANDS = "needs_hands", "Somebody must touch the place"


class Mirror(TextChoices):
    YES = "yes", "Yes"
    PARTLY = "partly", "Partly"
    NO = "no", "No"


class ConditionKind(TextChoices):
    RANKED = "ranked", "Ranked: has a share and likelihoods"
    STATE = "state", "State: raised by red flags only, never ranked"


class RuleKind(TextChoices):
    RED_FLAG = "red_flag", "Red flag: a danger sign"
    SCOPE = "scope", "Scope: causes are not named"
    FLOOR = "floor", "Floor: the least advice allowed"


class AdviceScope(TextChoices):
    URGENCY = "urgency", "An urgency"
    CONDITION = "condition", "A condition that is ranked"
    STATE = "state", "A state"
    FLOOR = "floor", "A floor rule"


class Studied(TextChoices):
    PEOPLE = "people", "People whose cause was found out"
    SIMULATED = "simulated", "Simulated: drawn from the numbers themselves"


class TranslationStatus(TextChoices):
    DRAFT = "draft", "Draft: not shown to anybody"
    TRANSLATED = "translated", "Translated, not clinically checked"
    CHECKED = "checked", "Clinically checked"


class ProposalState(TextChoices):
    SUBMITTED = "submitted", "Waiting to be approved"
    APPROVED = "approved", "Approved, not yet published"
    PUBLISHED = "published", "Published"
    SENT_BACK = "sent_back", "Sent back"
    WITHDRAWN = "withdrawn", "Taken back by its author"
