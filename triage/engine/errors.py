"""What the engine refuses, each named for what happened."""


class EngineError(Exception):
    """Whatever the engine refuses."""


class RuleError(EngineError):
    """A rule that is not written in the rule language."""


class Unsound(EngineError):
    """Knowledge that must not reach a patient; `faults` holds a sentence for each reason."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class UnknownFeature(EngineError):
    """A feature that the knowledge does not have."""


class UnknownOption(EngineError):
    """An option that the feature does not have."""


class UnfitReply(EngineError):
    """A reply that this feature cannot take: of the wrong kind, out of range, or contradictory."""
