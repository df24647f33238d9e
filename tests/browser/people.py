"""People who use the checker: what each would reply, in the form in which replies are stored."""

from collections.abc import Mapping

from triage.engine import (
    Ask,
    Evidence,
    FeatureKey,
    Knowledge,
    Reply,
    next_step,
    reply_from_json,
)

type Replies = Mapping[str, list[str] | int | str]
"""By feature: the options chosen, a number, or the way in which it was declined."""

MARBLE: dict[str, list[str] | int | str] = {
    # A marble under the skin for years, sore when leaned on. Nothing about it is urgent.
    "right_now": ["none"],
    "bladder_saddle": ["none"],
    "leg_nerves": ["none"],
    "fever": ["no"],
    "injury": ["none"],
    "age": 34,
    "sex": ["male"],
    "lump_count": ["one"],
    "lump_position": ["beside"],
    "spine_level": ["between_blades"],
    "lump_size": ["grape"],
    "lump_feel": ["rubbery"],
    "lump_moves": ["slides"],
    "hot_to_touch": ["no"],
    "skin_look": ["black_dot"],
    "lump_duration": ["over_1y"],
    "lump_change": ["same"],
    "lump_before": ["small_lump_first"],
    "sore_spot": ["lump_only"],
    "pain_duration": ["days_3_14"],
    "pain_severity": 2,
    "pain_when": ["press"],
    "pain_type": ["tender"],
    "pain_spread": ["stays"],
    "pain_course": ["steady"],
    "pain_onset": ["slow"],
    "eases": ["no_need"],
    "stiffness": ["none"],
    "general_signs": ["none"],
    "cancer_history": ["no"],
    "infection_risk": ["none"],
    "recent_events": ["none"],
    "medicines": ["none"],
    "bone_risk": ["none"],
    "back_shape": ["no"],
    "tap_shock": ["no"],
}

CHILD = MARBLE | {"age": 12}
FEVER = MARBLE | {"fever": ["yes"]}
CONFUSED = MARBLE | {"right_now": ["confused"]}


def declining(knowledge: Knowledge) -> Replies:
    """Somebody who declines whatever can be declined."""
    return MARBLE | {
        feature.key: feature.declines[-1].value
        for feature in knowledge.features
        if feature.declines and not feature.required
    }


def reply_of(replies: Replies, feature: FeatureKey) -> Reply:
    return reply_from_json(replies[feature])


def questions_for(knowledge: Knowledge, replies: Replies) -> list[FeatureKey]:
    """Return what the engine asks this person, in order."""
    evidence = Evidence(())
    while isinstance(step := next_step(knowledge, evidence), Ask):
        evidence = evidence.set(step.feature, reply_of(replies, step.feature))
    return [feature for feature, _ in evidence]
