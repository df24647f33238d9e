"""A symptom checker that can be checked."""
