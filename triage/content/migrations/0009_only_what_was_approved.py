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
DECIDED = ("state", "approver_id", "approved_at", "closed_by_id", "closed_at", "closed_why")
SNAPSHOT = ("id", "topic_id", "sha256", "document", "made_at")

APPROVED = """
    EXISTS (
        SELECT 1 FROM content_proposal AS proposal
        JOIN content_snapshot AS snapshot ON snapshot.id = proposal.snapshot_id
        WHERE proposal.id = NEW.proposal_id AND proposal.topic_id = NEW.topic_id
            AND proposal.state = 'approved' AND NEW.rolled_back_to_id IS NULL
            AND proposal.author_id = NEW.author_id AND proposal.approver_id = NEW.approver_id
            AND snapshot.topic_id = NEW.topic_id
            AND snapshot.sha256 = NEW.sha256 AND snapshot.document = NEW.document
    )
    AND NOT EXISTS (SELECT 1 FROM content_release WHERE proposal_id = NEW.proposal_id)
    AND NOT EXISTS (
        SELECT 1 FROM content_proposalcontributor AS contributor
        WHERE contributor.proposal_id = NEW.proposal_id AND contributor.person_id = NEW.publisher_id
    )
"""
BROUGHT_BACK = """
    EXISTS (
        SELECT 1 FROM content_release AS earlier
        WHERE earlier.id = NEW.rolled_back_to_id AND earlier.topic_id = NEW.topic_id
            AND earlier.author_id = NEW.author_id AND earlier.approver_id = NEW.approver_id
            AND earlier.sha256 = NEW.sha256 AND earlier.document = NEW.document
            AND earlier.demonstration = NEW.demonstration AND earlier.recalled_at IS NULL
            AND earlier.number < NEW.number AND NEW.proposal_id IS NULL
    )
"""
WROTE_A_PART = """
    NEW.approver_id IS NOT NULL AND EXISTS (
        SELECT 1 FROM content_proposalcontributor AS contributor
        WHERE contributor.proposal_id = NEW.id AND contributor.person_id = NEW.approver_id
    )
"""
SIGNED_OWN_PART = """
    EXISTS (
        SELECT 1 FROM content_proposalcontributor AS contributor
        WHERE contributor.proposal_id = NEW.proposal_id AND contributor.person_id = NEW.by_id
    )
"""
DECIDED_ON = """
    NOT EXISTS (
        SELECT 1 FROM content_proposal AS proposal
        WHERE proposal.id = NEW.proposal_id AND proposal.state = 'submitted'
    )
"""
OTHER_CONTENT = """
    NOT EXISTS (
        SELECT 1 FROM content_snapshot AS snapshot
        WHERE snapshot.id = NEW.snapshot_id AND snapshot.topic_id = NEW.topic_id
    )
    OR NEW.base_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM content_release AS base
        WHERE base.id = NEW.base_id AND base.topic_id = NEW.topic_id AND base.recalled_at IS NULL
    )
"""
STEP = """
    OLD.state = 'submitted' AND NEW.state IN ('approved', 'sent_back', 'withdrawn')
    OR OLD.state = 'approved' AND NEW.state IN ('published', 'sent_back', 'withdrawn')
"""
IS_OPEN = "state IN ('submitted', 'approved')"
NEVER = "1 = 1"
DECISIONS = (
    "content_savedcase",
    "content_proposal",
    "content_proposalcontributor",
    "content_casesignoff",
    "content_comment",
    "content_release",
)

# Whoever wrote a part of a proposal is found by the database, so that no path leaves somebody out:
# who changed a draft since what is live was submitted. What is live may have been brought back, so
# the first release with its content counts; and no drafts' table is named, so that a new one counts.
CONTRIBUTORS = f"""
    INSERT INTO content_proposalcontributor (proposal_id, person_id)
    SELECT NEW.id, NEW.author_id
    UNION
    SELECT NEW.id, record.who_id
    FROM content_auditrecord AS record JOIN auth_user AS person ON person.id = record.who_id
    WHERE (record.topic_id = NEW.topic_id OR record.topic_id IS NULL)
        AND record."table" NOT IN ({", ".join(f"'{table}'" for table in DECISIONS)})
        AND record.id > coalesce(
            (
                SELECT min(submitted.id) FROM content_auditrecord AS submitted
                WHERE submitted."table" = 'content_proposal' AND submitted.action = 'added'
                    AND submitted."row" = (
                        SELECT earlier.proposal_id FROM content_release AS earlier
                        JOIN content_release AS base
                            ON base.topic_id = earlier.topic_id AND base.sha256 = earlier.sha256
                        WHERE base.id = NEW.base_id ORDER BY earlier.number LIMIT 1
                    )
            ),
            0
        );
"""


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
            f"NEW.publisher_id IS NULL OR NOT (({APPROVED}) OR ({BROUGHT_BACK}))",
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
            "content_snapshot_never_goes",
            "DELETE",
            "content_snapshot",
            "EXISTS (SELECT 1 FROM content_proposal WHERE snapshot_id = OLD.id)",
            "What was submitted is never deleted.",
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
            "NEW.approver_id IS NOT NULL OR NEW.state <> 'submitted'",
            "A change is submitted first and approved later.",
        ),
        (
            "content_proposal_of_its_topic",
            "INSERT",
            "content_proposal",
            OTHER_CONTENT,
            "A change has the drafts of its own topic, and starts from what is live there.",
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
            f"{changed(('approver_id', 'approved_at'))}"
            " AND NOT (OLD.state = 'submitted' AND NEW.state = 'approved')",
            "An approval is given once, and never changed.",
        ),
        (
            "content_proposal_steps",
            "UPDATE",
            "content_proposal",
            f"{changed(DECIDED)} AND NOT ({STEP})",
            "What was decided of a proposal stands.",
        ),
        (
            "content_proposalcontributor_known_when_submitted",
            "INSERT",
            "content_proposalcontributor",
            DECIDED_ON,
            "Who wrote a part of a proposal is known before it is decided on.",
        ),
        (
            "content_casesignoff_by_another",
            "INSERT",
            "content_casesignoff",
            f"{SIGNED_OWN_PART} OR {DECIDED_ON}",
            "A case is signed off before the approval, by somebody who wrote no part.",
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
        (
            "content_proposal",
            f"id = NEW.id OR (topic_id = NEW.topic_id AND {IS_OPEN} AND NEW.{IS_OPEN})",
        ),
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
    yield "DROP TRIGGER IF EXISTS content_proposal_names_who_wrote"
    yield f"""
        CREATE TRIGGER content_proposal_names_who_wrote AFTER INSERT ON content_proposal
        BEGIN {CONTRIBUTORS} END
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
    yield f"""
        CREATE OR REPLACE FUNCTION content_proposal_names_who_wrote() RETURNS trigger
        LANGUAGE plpgsql AS $$ BEGIN {CONTRIBUTORS} RETURN NULL; END $$
    """
    yield """
        CREATE TRIGGER content_proposal_names_who_wrote AFTER INSERT ON content_proposal
        FOR EACH ROW EXECUTE FUNCTION content_proposal_names_who_wrote()
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
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]  # 0008 takes them away
