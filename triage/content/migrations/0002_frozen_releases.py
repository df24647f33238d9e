"""Triggers by which the database itself refuses to change or delete a release.

Only the three recall columns may be filled in, once. A rebuilt table loses its triggers on SQLite:
a later migration that alters `content_release` ends with `operations` like this one's.
"""

from django.db import migrations

FROZEN = (
    "id",
    "topic_id",
    "number",
    "document",
    "sha256",
    "author_id",
    "approver_id",
    "published_at",
    "why",
    "demonstration",
)
NEVER_CHANGES = "A published release never changes: it can only be recalled, once."
NEVER_GOES = "A published release is never deleted."


def sqlite():
    changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in FROZEN)
    return [
        f"""
        CREATE TRIGGER content_release_never_changes BEFORE UPDATE ON content_release
        WHEN OLD.recalled_at IS NOT NULL OR {changed}
        BEGIN SELECT RAISE(ABORT, '{NEVER_CHANGES}'); END
        """,
        f"""
        CREATE TRIGGER content_release_never_goes BEFORE DELETE ON content_release
        BEGIN SELECT RAISE(ABORT, '{NEVER_GOES}'); END
        """,
        # INSERT OR REPLACE deletes the row in its way without firing the trigger above.
        f"""
        CREATE TRIGGER content_release_never_replaced BEFORE INSERT ON content_release
        WHEN EXISTS (
            SELECT 1 FROM content_release
            WHERE id = NEW.id OR (topic_id = NEW.topic_id AND number = NEW.number)
        )
        BEGIN SELECT RAISE(ABORT, '{NEVER_CHANGES}'); END
        """,
    ]


def postgresql():
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in FROZEN)
    return [
        f"""
        CREATE FUNCTION content_release_is_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                RAISE EXCEPTION '{NEVER_CHANGES}'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RAISE EXCEPTION '{NEVER_GOES}' USING ERRCODE = 'integrity_constraint_violation';
        END $$
        """,
        f"""
        CREATE TRIGGER content_release_never_changes BEFORE UPDATE ON content_release
        FOR EACH ROW WHEN (OLD.recalled_at IS NOT NULL OR {changed})
        EXECUTE FUNCTION content_release_is_frozen()
        """,
        """
        CREATE TRIGGER content_release_never_goes BEFORE DELETE ON content_release
        FOR EACH ROW EXECUTE FUNCTION content_release_is_frozen()
        """,
        """
        CREATE TRIGGER content_release_never_emptied BEFORE TRUNCATE ON content_release
        FOR EACH STATEMENT EXECUTE FUNCTION content_release_is_frozen()
        """,
    ]


MAKE = {"sqlite": sqlite(), "postgresql": postgresql()}
REMOVE = {
    "sqlite": [
        "DROP TRIGGER content_release_never_changes",
        "DROP TRIGGER content_release_never_goes",
        "DROP TRIGGER content_release_never_replaced",
    ],
    # The triggers hang on the function and go with it.
    "postgresql": ["DROP FUNCTION content_release_is_frozen() CASCADE"],
}


def make(apps, schema_editor):
    for statement in MAKE[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def remove(apps, schema_editor):
    for statement in REMOVE[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("content", "0001_initial")]
    operations = [migrations.RunPython(make, remove)]
