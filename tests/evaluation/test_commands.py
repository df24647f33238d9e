import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from triage.content.management.commands import accuracy, triage_report
from triage.content.models import Topic
from triage.evaluation.reliability import Recorded, Reliability, to_json

pytestmark = pytest.mark.django_db

LINE = {
    "id": "a",
    "answers": {"leg_nerves": ["weak_legs"], "age": 58, "lump_count": "one"},
    "expected": {"conditions": ["spinal_metastasis"], "urgency_at_least": "emergency_now"},
}


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    path = tmp_path / "cases.jsonl"
    path.write_text(json.dumps(LINE) + "\n", encoding="utf-8")
    return path


def written(path: Path, *options: str) -> dict[str, object]:
    out = path.with_name("out.jsonl")
    call_command("evaluate", path, "--json", out, *options)
    [line] = out.read_text(encoding="utf-8").splitlines()
    found: dict[str, object] = json.loads(line)
    return found


def test_evaluate_prints_what_came_of_the_cases(
    cases: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("evaluate", cases)

    printed = capsys.readouterr().out
    assert "Cases: 1." in printed
    assert "urgency within its range" in printed
    assert "spinal_metastasis" in printed


def test_evaluate_writes_a_line_for_each_case(cases: Path) -> None:
    line = written(cases)

    assert list(line) == ["id", "ranked", "urgency", "flags", "questions_asked"]
    assert line["urgency"] == "emergency_now"
    assert line["flags"] == ["rf_cord_legs", "rf_nerves_unsure"]
    assert line["questions_asked"] == 1
    ranked = line["ranked"]
    assert isinstance(ranked, list)
    assert len(ranked) == 22
    assert sum(posterior for _, posterior in ranked) == pytest.approx(1)
    assert ranked == sorted(ranked, key=lambda pair: -pair[1])


def test_evaluate_can_give_all_answers_at_once(cases: Path) -> None:
    assert written(cases, "--all-answers", "--topic", "back-lump")["questions_asked"] == 3


def test_evaluate_says_every_fault_with_its_line(cases: Path) -> None:
    cases.write_text('{"id": "a"}\nnonsense\n', encoding="utf-8")

    with pytest.raises(CommandError) as refused:
        call_command("evaluate", cases)

    assert "line 1: “answers” is missing" in str(refused.value)
    assert "line 2: this is not JSON" in str(refused.value)


def test_evaluate_says_what_it_cannot_read(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("evaluate", tmp_path / "nowhere.jsonl")


def test_evaluate_says_that_nothing_is_published(cases: Path) -> None:
    with pytest.raises(CommandError, match="Nothing is published for “knee”"):
        call_command("evaluate", cases, "--topic", "knee")


def test_evaluate_asks_which_of_two_topics(cases: Path) -> None:
    knee = Topic.objects.get(key="back-lump")
    knee.pk, knee.key = None, "knee"
    knee.save()

    with pytest.raises(CommandError, match="Say which topic, with --topic: back-lump, knee"):
        call_command("evaluate", cases)


def test_evaluate_says_where_it_cannot_write(cases: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("evaluate", cases, "--json", tmp_path)


def test_the_page_of_figures_is_up_to_date() -> None:
    call_command("accuracy", "--check")


def test_the_page_of_triage_is_up_to_date() -> None:
    call_command("triage_report", "--check")


@pytest.fixture
def small_page(cases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a page is written that takes little time: one case, three people."""
    folder = tmp_path / "cases" / "back-lump"
    folder.mkdir(parents=True)
    cases.rename(folder / "few.jsonl")
    page = tmp_path / "accuracy.md"
    monkeypatch.setattr(accuracy, "CASES", folder.parent)
    monkeypatch.setattr(accuracy, "PEOPLE", 3)
    monkeypatch.setattr(accuracy, "WORLDS", 2)
    monkeypatch.setattr(accuracy, "PAGE", page)
    monkeypatch.setattr(accuracy, "CALIBRATION", tmp_path / "calibration")
    return page


def test_a_page_of_figures_that_is_missing_or_changed_is_found_out(small_page: Path) -> None:
    with pytest.raises(CommandError, match=r"Out of date: .*accuracy.md"):
        call_command("accuracy", "--check")

    call_command("accuracy")
    assert "## few (1)" in small_page.read_text(encoding="utf-8")
    call_command("accuracy", "--check")
    small_page.write_text("Perfect.\n", encoding="utf-8")
    with pytest.raises(CommandError, match=r"accuracy.md"):
        call_command("accuracy", "--check")


def test_the_page_of_figures_shows_every_diagram(small_page: Path) -> None:
    folder = small_page.with_name("calibration")
    folder.mkdir()
    bench = Recorded("A benchmark", "Two patients.", Reliability.of([(0.9, True), (0.9, False)]))
    (folder / "bench.json").write_text(to_json(bench), encoding="utf-8")
    (folder / "back-lump-gone.svg").write_text("<svg/>", encoding="utf-8")

    call_command("accuracy")

    drawn = {path.stem for path in folder.glob("*.svg")}
    assert {"bench", "back-lump-interview", "back-lump-all-answers"} < drawn
    assert drawn == {path.stem for path in folder.glob("*.json")}
    page = small_page.read_text(encoding="utf-8")
    assert all(f"](calibration/{name}.svg)" in page for name in drawn)
    assert f"Two patients. {bench.reliability.sentence}" in page
    call_command("accuracy", "--check")


def test_a_diagram_that_was_recorded_since_is_found_out(small_page: Path) -> None:
    call_command("accuracy")
    later = Recorded("A benchmark", "One patient.", Reliability.of([(0.9, True)]))
    path = small_page.with_name("calibration") / "bench.json"
    path.write_text(to_json(later), encoding="utf-8")

    with pytest.raises(CommandError, match=r"bench.svg, .*accuracy.md"):
        call_command("accuracy", "--check")


def test_what_was_recorded_since_is_taken_in_without_measuring(small_page: Path) -> None:
    call_command("accuracy")
    before = small_page.read_text(encoding="utf-8")
    later = Recorded("A benchmark", "One patient.", Reliability.of([(0.9, True)]))
    path = small_page.with_name("calibration") / "bench.json"
    path.write_text(to_json(later), encoding="utf-8")

    call_command("accuracy", "--records")

    call_command("accuracy", "--check")
    after = small_page.read_text(encoding="utf-8")
    added = set(after.splitlines()[:-1]) - set(before.splitlines())
    assert len(added) == 3  # a heading, a sentence, a diagram
    assert set(before.splitlines()[:-1]) <= set(after.splitlines())
    small_page.write_text("Perfect.\n", encoding="utf-8")
    with pytest.raises(CommandError, match="without --records"):
        call_command("accuracy", "--records")


def test_what_is_no_record_is_named(small_page: Path) -> None:
    folder = small_page.with_name("calibration")
    folder.mkdir()
    (folder / "bench.json").write_text('{"title": "x"}', encoding="utf-8")

    with pytest.raises(CommandError, match=r"bench.json is no record of a calibration"):
        call_command("accuracy", "--check")


def test_a_page_of_triage_that_is_missing_or_changed_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triage_report, "PAGE", tmp_path / "triage.md")
    monkeypatch.setattr(triage_report, "PEOPLE", 30)
    monkeypatch.setattr(triage_report, "OF_EACH", 1)
    monkeypatch.setattr(triage_report, "CHILDREN", 3)
    monkeypatch.setattr(triage_report, "PROBES", 2)
    with pytest.raises(CommandError, match="out of date"):
        call_command("triage_report", "--check")

    call_command("triage_report")
    call_command("triage_report", "--check")
    assert "| under 16 | 3 |" in triage_report.PAGE.read_text(encoding="utf-8")
    drawing = tmp_path / "triage.svg"
    drawing.write_text(drawing.read_text(encoding="utf-8").replace("same", "next"), "utf-8")
    with pytest.raises(CommandError, match="out of date"):
        call_command("triage_report", "--check")
