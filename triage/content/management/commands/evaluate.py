import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from triage.content.knowledge import knowledge_of
from triage.content.models import Topic
from triage.content.releases import NothingPublished, live_release
from triage.engine import Knowledge
from triage.evaluation.cases import Case, UnfitCases, read_cases
from triage.evaluation.interviews import Run, all_at_once, interview
from triage.evaluation.report import Report, by_condition, judge, misses, overview


class Command(BaseCommand):
    help = "Run cases through the checker and print how right, how safe and how short it was."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("cases", type=Path, metavar="CASES.jsonl", help="one case a line")
        add_topic(parser)
        parser.add_argument(
            "--json",
            type=Path,
            dest="out",
            metavar="OUT.jsonl",
            help="write what came of each case there, one a line",
        )
        parser.add_argument(
            "--all-answers",
            action="store_true",
            help="give each case's answers at once, instead of by interview",
        )

    def handle(self, *, cases: Path, out: Path | None, all_answers: bool, **options: Any) -> str:
        knowledge = live_knowledge(options["topic"])
        how, run = ("all answers at once", all_at_once) if all_answers else ("interview", interview)
        report = judge(knowledge, cases_of(cases, knowledge), run)
        if out is not None:
            write(out, report)
        tables = [
            overview(f"Cases: {len(report.judged)}. 95 % intervals in brackets.", {how: report}),
            by_condition("By expected cause", report),
            misses("Out of the urgency range, or the right cause not among the first 3", report),
        ]
        return "\n\n".join(table.plain() for table in tables)


def add_topic(parser: CommandParser) -> None:
    parser.add_argument("--topic", help="the key of the topic; not needed if there is only one")


def live_knowledge(topic: str | None) -> Knowledge:
    """Return what is live of a topic, or of the only one. Raises CommandError if that is none."""
    try:
        return knowledge_of(live_release(topic or only_topic()).pk)
    except NothingPublished as nothing:
        raise CommandError(str(nothing)) from None


def only_topic() -> str:
    keys = sorted(Topic.objects.values_list("key", flat=True))
    if len(keys) != 1:
        raise CommandError(f"Say which topic, with --topic: {', '.join(keys) or 'there is none'}.")
    return keys[0]


def cases_of(path: Path, knowledge: Knowledge) -> tuple[Case, ...]:
    """Return the cases of a file. Raises CommandError with every fault, each with its line."""
    try:
        with path.open(encoding="utf-8") as lines:
            return read_cases(lines, knowledge)
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}.") from None
    except UnfitCases as unfit:
        faults = "\n".join(f"{path}, {fault}" for fault in unfit.faults)
        raise CommandError(f"No case was run.\n{faults}") from None


def write(path: Path, report: Report) -> None:
    """Write a line for each case. Raises CommandError if that cannot be done."""
    lines = (f"{as_json(one.case, one.run)}\n" for one in report.judged)
    try:
        path.write_text("".join(lines), encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error}.") from None


def as_json(case: Case, run: Run) -> str:
    return json.dumps(
        {
            "id": case.key,
            "ranked": run.ranked,
            "urgency": run.urgency.key,
            "flags": run.flags,
            "questions_asked": run.asked,
        },
        ensure_ascii=False,
    )
