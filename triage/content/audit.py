"""Who changed what, when and why: written by the database itself, whatever the path of a change.

Triggers on every table that staff own add an `AuditRecord` for each row that is added, changed or
deleted: from a form, the ORM, a bulk write or plain SQL. They are made anew after each migration,
as a rebuilt table loses its triggers on SQLite. What the database cannot know, who and why, is
said by `changing` to the transaction; a change from elsewhere is recorded without it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, models, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from .models import (
    Advice,
    AuditRecord,
    CalibrationStudy,
    CaseSignOff,
    Comment,
    Condition,
    Feature,
    GlossaryTerm,
    Likelihood,
    Option,
    Proposal,
    RedFlag,
    Release,
    Review,
    RiskGroup,
    SavedCase,
    Source,
    Syndrome,
    SyndromeChance,
    SyndromeMember,
    Topic,
    Translation,
)

DRAFTS: tuple[type[models.Model], ...] = (
    Topic,
    Source,
    Condition,
    Feature,
    Option,
    Likelihood,
    Syndrome,
    SyndromeChance,
    SyndromeMember,
    RedFlag,
    RiskGroup,
    Advice,
    GlossaryTerm,
    Translation,
    CalibrationStudy,
    Review,
)
"""What a release is made of."""
DECISIONS: tuple[type[models.Model], ...] = (SavedCase, Proposal, CaseSignOff, Comment, Release)
TOO_LONG = {"document"}  # of a release: its hash says which it was

NEVER_CHANGES = "A record of the audit never changes and is never deleted."
EDITING = "content_editing"
"""On SQLite, the one row that says who is writing: one transaction writes at a time there."""


@contextmanager
def changing(*, who: User | None, why: str) -> Iterator[None]:
    """Write all that is inside in one transaction, recorded with who and why."""
    with transaction.atomic():
        before = _editing()
        _say(who.pk if who else None, who.get_username() if who else "", why)
        yield
        _say(*before)


def draft_tables() -> list[str]:
    return [model._meta.db_table for model in _with_links(DRAFTS)]


def is_audited() -> bool:
    """Return whether every table has its triggers."""
    with connection.cursor() as cursor:
        cursor.execute(_WHICH_TRIGGERS[connection.vendor])
        there = {name for (name,) in cursor.fetchall()}
    wanted = {
        f"{model._meta.db_table}_{action}"
        for model in _with_links(DRAFTS + DECISIONS)
        for action in AuditRecord.Action.values
    }
    return wanted <= there


def watch(**_: Any) -> None:
    """Make all triggers anew. Called after every migration, also one that goes back before them."""
    if AuditRecord._meta.db_table not in connection.introspection.table_names():
        return
    with connection.schema_editor() as editor:
        for statement in _PREPARE[connection.vendor]:
            editor.execute(statement)
        for model in _with_links(DRAFTS + DECISIONS):
            for statement in _statements(editor, model):
                editor.execute(statement)


_WHICH_TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
}


def _editing() -> tuple[int | None, str, str]:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"SELECT who_id, who_name, why FROM {EDITING}")
            return cursor.fetchone() or (None, "", "")
        cursor.execute(
            "SELECT nullif(current_setting('triage.who', true), ''),"
            " coalesce(current_setting('triage.who_name', true), ''),"
            " coalesce(current_setting('triage.why', true), '')"
        )
        who, name, why = cursor.fetchone()
        return (int(who) if who else None), name, why


def _say(who: int | None, name: str, why: str) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"DELETE FROM {EDITING}")
            if who is not None or why:
                cursor.execute(f"INSERT INTO {EDITING} VALUES (1, %s, %s, %s)", [who, name, why])
        else:
            cursor.execute(
                "SELECT set_config('triage.who', %s, true), set_config('triage.who_name', %s, true),"
                " set_config('triage.why', %s, true)",
                ["" if who is None else str(who), name, why],
            )


def _with_links(kinds: tuple[type[models.Model], ...]) -> Iterator[type[models.Model]]:
    """Yield the models, each followed by the tables of its many-to-many fields."""
    for model in kinds:
        yield model
        for field in model._meta.many_to_many:
            through: Any = field.remote_field.through
            yield through


def _topic_of(model: type[models.Model], row: str) -> str:
    """Return the SQL of the topic that a row belongs to: its own, or that of what it is part of."""
    if model is Topic:
        return f"{row}.id"
    foreign = [field for field in model._meta.concrete_fields if field.is_relation]
    for field in foreign:
        if field.related_model is Topic:
            return f"{row}.{field.column}"
    for field in foreign:
        parent: Any = field.related_model
        if parent._meta.app_label == "content" and parent is not Source:
            table = parent._meta.db_table
            inner = _topic_of(parent, table)
            return f"(SELECT {inner} FROM {table} WHERE {table}.id = {row}.{field.column})"
    return "NULL"


def _columns(model: type[models.Model]) -> "list[models.Field[Any, Any]]":
    return [field for field in model._meta.concrete_fields if field.column not in TOO_LONG]


def _statements(editor: BaseDatabaseSchemaEditor, model: type[models.Model]) -> Iterator[str]:
    table = model._meta.db_table
    events = (("INSERT", "added"), ("UPDATE", "changed"), ("DELETE", "deleted"))
    for event, action in events:
        before = "NULL" if action == "added" else _json(model, "OLD")
        after = "NULL" if action == "deleted" else _json(model, "NEW")
        row = "OLD" if action == "deleted" else "NEW"
        values = f"{_topic_of(model, row)}, '{table}', {row}.id, '{action}', {before}, {after}"
        yield from _TRIGGER[connection.vendor](model, event, action, values)


def _json(model: type[models.Model], row: str) -> str:
    if connection.vendor == "postgresql":
        return f"to_jsonb({row}) - '{{{','.join(sorted(TOO_LONG))}}}'::text[]"
    pairs = ", ".join(
        f"'{field.column}', "
        + (f"json({value})" if field.get_internal_type() == "JSONField" else value)
        for field in _columns(model)
        for value in [f'{row}."{field.column}"']
    )
    return f"json_object({pairs})"


def _on_sqlite(model: type[models.Model], event: str, action: str, values: str) -> Iterator[str]:
    table = model._meta.db_table
    changed = " OR ".join(
        f'OLD."{field.column}" IS NOT NEW."{field.column}"' for field in model._meta.concrete_fields
    )
    condition = f"WHEN {changed}" if event == "UPDATE" else ""
    yield f"DROP TRIGGER IF EXISTS {table}_{action}"
    yield f"""
        CREATE TRIGGER {table}_{action} AFTER {event} ON {table} {condition}
        BEGIN
            INSERT INTO content_auditrecord
                (at, who_id, who_name, why, topic_id, "table", "row", action, before, after)
            SELECT strftime('%Y-%m-%d %H:%M:%f000', 'now'), who.who_id, coalesce(who.who_name, ''),
                coalesce(who.why, ''), {values}
            FROM (SELECT 1) LEFT JOIN {EDITING} AS who ON true;
        END
    """


def _on_postgresql(
    model: type[models.Model], event: str, action: str, values: str
) -> Iterator[str]:
    table = model._meta.db_table
    condition = "WHEN (OLD.* IS DISTINCT FROM NEW.*)" if event == "UPDATE" else ""
    yield f"DROP TRIGGER IF EXISTS {table}_{action} ON {table}"
    yield f"""
        CREATE OR REPLACE FUNCTION {table}_{action}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO content_auditrecord
                (at, who_id, who_name, why, topic_id, "table", "row", action, before, after)
            SELECT clock_timestamp(), nullif(current_setting('triage.who', true), '')::bigint,
                coalesce(current_setting('triage.who_name', true), ''),
                coalesce(current_setting('triage.why', true), ''), {values};
            RETURN NULL;
        END $$
    """
    yield f"""
        CREATE TRIGGER {table}_{action} AFTER {event} ON {table} FOR EACH ROW {condition}
        EXECUTE FUNCTION {table}_{action}()
    """


_TRIGGER = {"sqlite": _on_sqlite, "postgresql": _on_postgresql}
_PREPARE = {
    "sqlite": [
        f"""
        CREATE TABLE IF NOT EXISTS {EDITING}
            (id INTEGER PRIMARY KEY CHECK (id = 1), who_id BIGINT, who_name TEXT, why TEXT)
        """,
        "DROP TRIGGER IF EXISTS content_auditrecord_never_changes",
        "DROP TRIGGER IF EXISTS content_auditrecord_never_goes",
        "DROP TRIGGER IF EXISTS content_auditrecord_never_replaced",
        f"""
        CREATE TRIGGER content_auditrecord_never_changes BEFORE UPDATE ON content_auditrecord
        BEGIN SELECT RAISE(ABORT, '{NEVER_CHANGES}'); END
        """,
        f"""
        CREATE TRIGGER content_auditrecord_never_goes BEFORE DELETE ON content_auditrecord
        BEGIN SELECT RAISE(ABORT, '{NEVER_CHANGES}'); END
        """,
        # INSERT OR REPLACE deletes the row in its way without firing the trigger above.
        f"""
        CREATE TRIGGER content_auditrecord_never_replaced BEFORE INSERT ON content_auditrecord
        WHEN EXISTS (SELECT 1 FROM content_auditrecord WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, '{NEVER_CHANGES}'); END
        """,
    ],
    "postgresql": [
        f"""
        CREATE OR REPLACE FUNCTION content_auditrecord_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '{NEVER_CHANGES}' USING ERRCODE = 'integrity_constraint_violation';
        END $$
        """,
        "DROP TRIGGER IF EXISTS content_auditrecord_never_changes ON content_auditrecord",
        "DROP TRIGGER IF EXISTS content_auditrecord_never_emptied ON content_auditrecord",
        """
        CREATE TRIGGER content_auditrecord_never_changes BEFORE UPDATE OR DELETE
        ON content_auditrecord FOR EACH ROW EXECUTE FUNCTION content_auditrecord_stays()
        """,
        """
        CREATE TRIGGER content_auditrecord_never_emptied BEFORE TRUNCATE
        ON content_auditrecord FOR EACH STATEMENT EXECUTE FUNCTION content_auditrecord_stays()
        """,
    ],
}
