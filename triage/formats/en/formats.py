"""Dates as they are written where we start: day first, the clock to 24."""

DATETIME_FORMAT = "j F Y, H:i"
