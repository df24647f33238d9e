"""Tables for a spreadsheet."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def guarded(text: str) -> str:
    """Return a cell that a spreadsheet takes for text, whatever it begins with."""
    return f"'{text}" if text.startswith(FORMULA) else text
