"""What others may want to know of an assessment, without this app knowing of them.

At a kiosk staff are told of raised flags, and keep what they have to see of somebody who left. A
receiver that fails stops what it was told of, but for `flags_changed` and `concluded`, which come
after the write: the answer is on disk, and what they tell can be read from the row again.
"""

from django.dispatch import Signal

begun = Signal()
"""`assessment`, `terminal`: an assessment was begun at a terminal; within the same transaction."""

flags_changed = Signal()
"""`assessment`, `now`: at a terminal, an answer has raised or withdrawn a red flag."""

concluded = Signal()
"""`assessment`, `now`: at a terminal, the answers were accepted, or an emergency ended them."""

leaving = Signal()
"""`assessments` (a QuerySet), `now`: these are deleted next, within the same transaction."""

purging = Signal()
"""`now`: the time to delete whatever else has expired, before the files are overwritten."""
