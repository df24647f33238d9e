"""The checker for programs: one question, or the outcome, for all the answers that are sent."""
