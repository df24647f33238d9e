"""Triggers by which the database itself lets nothing out that another person has not approved.

A rebuilt table loses its triggers on SQLite: a later migration that alters one of these tables
ends with `operations` like this one's, and so does one that alters `content_release`.
"""

from django.db import migrations

SUBMITTED = ("id", "topic_id", "snapshot_id", "base_id", "author_id", "submitted_at", "why")
PUBLISHED = (
    "id",
    "topic_id",
    "number",
    "document",
    "sha256",
    "proposal_id",
    "author_id",
    "approver_id",
    "publisher_id",
    "published_at",
    "why",
    "rolled_back_to_id",
    "demonstration",
)
SNAPSHOT = ("id", "topic_id", "sha256", "document", "made_at")

APPROVED = """
    EXISTS (
        SELECT 1 FROM content_proposal AS proposal
        JOIN content_snapshot AS snapshot ON snapshot.id = proposal.snapshot_id
        WHERE proposal.id = NEW.proposal_id AND proposal.topic_id = NEW.topic_id
            AND proposal.state IN ('approved', 'published')
            AND proposal.author_id = NEW.author_id AND proposal.approver_id = NEW.approver_id
            AND snapshot.sha256 = NEW.sha256 AND snapshot.document = NEW.document
    )
"""
BROUGHT_BACK = """
    EXISTS (
        SELECT 1 FROM content_release AS earlier
        WHERE earlier.id = NEW.rolled_back_to_id AND earlier.topic_id = NEW.topic_id
            AND earlier.author_id = NEW.author_id AND earlier.approver_id = NEW.approver_id
            AND earlier.sha256 = NEW.sha256 AND earlier.document = NEW.document
    )
"""
WROTE_A_PART = """
    NEW.approver_id IS NOT NULL AND EXISTS (
        SELECT 1 FROM content_proposalcontributor AS contributor
        WHERE contributor.proposal_id = NEW.id AND contributor.person_id = NEW.approver_id
    )
"""
ENDED = "('published', 'sent_back', 'withdrawn')"
NEVER = "1 = 1"


def refusals(changed):
    """Return (name, event, table, when, why) of every change that the database refuses."""
    return [
        (
            "content_release_never_changes",
            "UPDATE",
            "content_release",
            f"OLD.recalled_at IS NOT NULL OR {changed(PUBLISHED)}",
            "A published release never changes: it can only be recalled, once.",
        ),
        (
            "content_release_never_goes",
            "DELETE",
            "content_release",
            NEVER,
            "A published release is never deleted.",
        ),
        (
            "content_release_was_approved",
            "INSERT",
            "content_release",
            f"NOT ({APPROVED} OR {BROUGHT_BACK})",
            "Only what another person has approved is published.",
        ),
        (
            "content_snapshot_never_changes",
            "UPDATE",
            "content_snapshot",
            changed(SNAPSHOT),
            "A snapshot of the drafts never changes.",
        ),
        (
            "content_proposal_never_changes",
            "UPDATE",
            "content_proposal",
            changed(SUBMITTED),
            "What was submitted never changes: take it back and submit again.",
        ),
        (
            "content_proposal_never_goes",
            "DELETE",
            "content_proposal",
            NEVER,
            "A proposal is never deleted.",
        ),
        (
            "content_proposal_starts_unapproved",
            "INSERT",
            "content_proposal",
            "NEW.approver_id IS NOT NULL",
            "A change is submitted first and approved later.",
        ),
        (
            "content_proposal_approved_by_another",
            "UPDATE",
            "content_proposal",
            WROTE_A_PART,
            "Nobody approves what they wrote a part of.",
        ),
        (
            "content_proposal_approval_stands",
            "UPDATE",
            "content_proposal",
            f"OLD.approver_id IS NOT NULL AND {changed(('approver_id', 'approved_at'))}",
            "An approval is never changed.",
        ),
        (
            "content_proposal_end_stands",
            "UPDATE",
            "content_proposal",
            f"OLD.state IN {ENDED} AND {changed(('state',))}",
            "What was decided of a proposal stands.",
        ),
        *(
            (
                f"{table}_never_{'changes' if event == 'UPDATE' else 'goes'}",
                event,
                table,
                NEVER,
                f"{what} never changes and is never deleted.",
            )
            for table, what in (
                ("content_proposalcontributor", "Who wrote a part of a proposal"),
                ("content_comment", "A comment"),
                ("content_casesignoff", "A sign-off"),
            )
            for event in ("UPDATE", "DELETE")
        ),
    ]


def sqlite():
    def changed(columns):
        return "(" + " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in columns) + ")"

    for name, event, table, when, why in refusals(changed):
        yield f"DROP TRIGGER IF EXISTS {name}"
        yield f"""
            CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {when}
            BEGIN SELECT RAISE(ABORT, '{why}'); END
        """
    # INSERT OR REPLACE deletes the row in its way without firing the triggers above.
    for table, same in (
        ("content_release", "id = NEW.id OR (topic_id = NEW.topic_id AND number = NEW.number)"),
        ("content_snapshot", "id = NEW.id OR (topic_id = NEW.topic_id AND sha256 = NEW.sha256)"),
        ("content_proposal", "id = NEW.id"),
        (
            "content_proposalcontributor",
            "id = NEW.id OR (proposal_id = NEW.proposal_id AND person_id = NEW.person_id)",
        ),
        ("content_comment", "id = NEW.id"),
        (
            "content_casesignoff",
            'id = NEW.id OR (proposal_id = NEW.proposal_id AND "case" = NEW."case")',
        ),
    ):
        yield f"DROP TRIGGER IF EXISTS {table}_never_replaced"
        yield f"""
            CREATE TRIGGER {table}_never_replaced BEFORE INSERT ON {table}
            WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})
            BEGIN SELECT RAISE(ABORT, 'This is there already, and never changes.'); END
        """


def postgresql():
    def changed(columns):
        return "(" + " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in columns) + ")"

    yield "DROP FUNCTION IF EXISTS content_release_is_frozen() CASCADE"
    for name, event, table, when, why in refusals(changed):
        yield f"""
            CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF {when} THEN
                    RAISE EXCEPTION '{why}' USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN {"OLD" if event == "DELETE" else "NEW"};
            END $$
        """
        yield f"""
            CREATE TRIGGER {name} BEFORE {event} ON {table}
            FOR EACH ROW EXECUTE FUNCTION {name}()
        """
    yield """
        CREATE OR REPLACE FUNCTION content_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'What was decided is never emptied away.'
                USING ERRCODE = 'integrity_constraint_violation';
        END $$
    """
    for table in (
        "content_release",
        "content_proposal",
        "content_proposalcontributor",
        "content_comment",
        "content_casesignoff",
    ):
        yield f"""
            CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION content_never_emptied()
        """


MAKE = {"sqlite": sqlite, "postgresql": postgresql}


def make(apps, schema_editor):
    for statement in MAKE[schema_editor.connection.vendor]():
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("content", "0008_content_desk")]
    operations = [migrations.RunPython(make)]
