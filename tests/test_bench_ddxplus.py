"""The benchmark on DDXPlus, on a release of three conditions that is made up here."""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from bench._ddxplus import (
    AGE,
    CONDITIONS,
    COUNTS,
    EVIDENCES,
    LAST_WRITTEN,
    SEX,
    TRAINING,
    Disturbance,
    Oddities,
    Patient,
    Release,
    Topic,
    Unreadable,
    case_of,
    estimated,
    read_patients,
)
from bench.ddxplus import Ending, Endings, Interviewer, main, trained_on
from triage.engine import (
    Ask,
    Chosen,
    ConditionKey,
    Evidence,
    FeatureKey,
    Number,
    OptionKey,
    Settings,
    Tells,
    applies,
    next_step,
)

HEAD = "AGE,DIFFERENTIAL_DIAGNOSIS,SEX,PATHOLOGY,EVIDENCES,INITIAL_EVIDENCE\n"
PAIN = '["E_1", "E_53", "E_54_@_V_71", "E_54_@_V_112", "E_56_@_2", "E_204_@_V_10"]'


def question(kind: str, code: str, values: tuple[object, ...] = (), default: object = 0) -> Any:
    return {
        "data_type": kind,
        "code_question": code,
        "possible-values": list(values),
        "default_value": default,
        "value_meaning": {},
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    counts = {
        "Flu": {"n": 60, "severity": 3, "binary_yes": {"E_1": 54, "E_53": 30}},
        "Ulcer": {"n": 30, "severity": 2, "binary_yes": {"E_1": 3, "E_53": 30}},
        "Mumps": {"n": 10, "severity": 1, "binary_yes": {"E_1": 9}},
    }
    intensity = {"Flu": {"0": 40, "1": 20}, "Ulcer": {"2": 30}, "Mumps": {}}
    for name, row in counts.items():
        row["categorical"] = {"E_56": intensity[name]} if intensity[name] else {}
    kinds = question("M", "E_53", ("V_11", "V_71", "V_112"), "V_11")
    kinds["value_meaning"] = {
        "V_11": {"fr": "NA"},
        "V_71": {"fr": "déchirante"},
        "V_112": {"fr": "lancinante"},
    }
    travel = question("M", "E_204", ("V_10", "V_0"), "V_10")
    travel["value_meaning"] = {"V_10": {"fr": "N"}, "V_0": {"fr": "Afrique du Nord"}}
    evidences = {
        "E_54": kinds,
        "E_56": question("C", "E_53", (0, 1, 2)),
        "E_1": question("B", "E_1"),
        "E_53": question("B", "E_53"),
        "E_204": travel,
        "E_69": question("B", "E_68"),
    }
    last = {
        "Grippe": {
            "douleurxx_carac": {"déchirante": 0.3, "lancinante_/_choc": 0.2, "NA": 0.5},
            "trav1": {"N": 0.9, "AfriqN": 0.1},
            "fievre": 0.9,
        },
        "Ulcère": {"douleurxx_carac": {"déchirante": 1.0, "NA": 1e-7}, "trav1": {"N": 1.0}},
        "Oreillons": {"trav1": {"N": 1.0}},
    }
    names = {"Flu": "Grippe", "Ulcer": "Ulcère", "Mumps": "Oreillons"}
    for name, content in (
        (COUNTS, {"conditions": counts}),
        (LAST_WRITTEN, {name: {"findings": row} for name, row in last.items()}),
        (EVIDENCES, evidences),
        (CONDITIONS, {name: {"cond-name-fr": french} for name, french in names.items()}),
    ):
        (tmp_path / name).write_bytes(gzip.compress(json.dumps(content).encode()))
    rows = [("41", "F", "Flu", PAIN, "E_53"), ("7", "M", "Mumps", '["E_1"]', "E_1")]
    (tmp_path / TRAINING).write_bytes(gzip.compress(written(*rows).encode()))
    return tmp_path


@pytest.fixture
def release(folder: Path) -> Release:
    return Release.read([folder / name for name in (COUNTS, LAST_WRITTEN, EVIDENCES, CONDITIONS)])


def written(*rows: tuple[str, str, str, str, str]) -> str:
    """A file in the official columns, of age, sex, pathology, evidences and complaint."""
    lines = [
        f'{age},[],{sex},{pathology},"{evidences.replace('"', '""')}",{initial}\n'
        for age, sex, pathology, evidences, initial in rows
    ]
    return HEAD + "".join(lines)


def read(release: Release, path: Path, text: str) -> tuple[list[Patient], Oddities]:
    path.write_text(text, encoding="utf-8")
    oddities = Oddities()
    return read_patients(path, release, oddities), oddities


def patient(pathology: str = "Flu", initial: str = "E_1", **evidences: tuple[str, ...]) -> Patient:
    return Patient(2, 40, "F", ConditionKey(pathology), evidences, initial)


def yes(*codes: str) -> list[tuple[FeatureKey, Chosen]]:
    return [(FeatureKey(code), Chosen(frozenset({OptionKey("yes")}))) for code in codes]


def test_a_list_is_read_as_json_or_as_python_plain_or_compressed(
    release: Release, tmp_path: Path
) -> None:
    rows = [written(("40", "F", "Flu", text, "E_53")) for text in (PAIN, PAIN.replace('"', "'"))]
    (as_json,), _ = read(release, tmp_path / "json.csv", rows[0])
    (as_python,), _ = read(release, tmp_path / "python.csv", rows[1])
    (tmp_path / "small.csv.gz").write_bytes(gzip.compress(rows[1].encode()))
    (compressed,) = read_patients(tmp_path / "small.csv.gz", release, Oddities())

    assert as_json == as_python == compressed
    assert as_json.evidences["E_54"] == ("V_71", "V_112")
    assert as_json.evidences["E_53"] == ()


def test_unknown_codes_are_left_out_and_counted(release: Release, tmp_path: Path) -> None:
    odd = '["E_1", "E_999", "E_54_@_V_1", "E_54_@_V_71", "E_999"]'
    rows = [
        ("40", "F", "Flu", odd, "E_888"),
        ("40", "F", "Gout", PAIN, "E_1"),
        ("40", "F", "Flu", '["E_7"]', "E_1"),
    ]

    (left,), oddities = read(release, tmp_path / "odd.csv", written(*rows))

    assert left.evidences == {"E_1": (), "E_54": ("V_71",)}
    assert left.initial == ""
    assert list(oddities.sentences()) == [
        "evidence left out, no “E_999”: 2 times, first on line 2.",
        "evidence left out, no “E_54_@_V_1”: 1 times, first on line 2.",
        "initial evidence left out, no “E_888”: 1 times, first on line 2.",
        "patient left out, no pathology “Gout”: 1 times, first on line 3.",
        "evidence left out, no “E_7”: 1 times, first on line 4.",
        "patient left out, of whose evidences none is known: 1 times, first on line 4.",
    ]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (("forty", "F", "Flu", "[]", "E_1"), "line 2, column AGE: “forty” is no number."),
        (("-1", "F", "Flu", "[]", "E_1"), "line 2, column AGE: -1 is below 0."),
        (("40", "X", "Flu", "[]", "E_1"), "line 2, column SEX: “X” is neither F nor M."),
        (("40", "F", "Flu", "[E_1", "E_1"), "line 2, column EVIDENCES: this is no list."),
        (("40", "F", "Flu", "[1]", "E_1"), "line 2, column EVIDENCES: this is no list of codes."),
    ],
)
def test_a_broken_row_is_named_by_line_and_column(
    release: Release, tmp_path: Path, row: tuple[str, str, str, str, str], fault: str
) -> None:
    with pytest.raises(Unreadable) as error:
        read(release, tmp_path / "broken.csv", written(row))

    assert str(error.value).endswith(fault)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("AGE,SEX,PATHOLOGY,EVIDENCES\n", "has no column INITIAL_EVIDENCE."),
        (HEAD, "holds no patient with a pathology and an evidence that are known."),
        (HEAD + "40,[],F,Flu\n", "line 2, column EVIDENCES: there is nothing."),
    ],
)
def test_a_broken_file_says_what_it_lacks(
    release: Release, tmp_path: Path, text: str, fault: str
) -> None:
    with pytest.raises(Unreadable) as error:
        read(release, tmp_path / "broken.csv", text)

    assert str(error.value).endswith(fault)


def test_a_pathology_is_known_by_its_french_name(release: Release, tmp_path: Path) -> None:
    (found,), _ = read(release, tmp_path / "f.csv", written(("40", "F", "Grippe", PAIN, "E_1")))

    assert found.pathology == "Flu"


def test_what_a_parent_opens_is_asked_only_after_it(release: Release) -> None:
    interviewer = Interviewer(Topic(release, (), False), 0.001)
    knowledge = interviewer.knowledge
    without = case_of(interviewer.topic, knowledge, patient("Mumps", E_1=()), Oddities())

    asked = list(interviewer.asking.interview(without.whole, without.given, 30))[-1]

    assert FeatureKey("E_53") in asked
    assert {key for key, _ in asked}.isdisjoint({"E_54", "E_56"})
    assert applies(knowledge, Evidence(yes("E_53")), FeatureKey("E_54"))
    assert not applies(knowledge, Evidence(), FeatureKey("E_54"))


def test_every_question_is_asked_to_tell_the_causes_apart(release: Release) -> None:
    interviewer = Interviewer(Topic(release, (), False), 0.001)
    ill = patient("Mumps", E_1=())
    case = case_of(interviewer.topic, interviewer.knowledge, ill, Oddities())
    said, asked = case.given, 0

    while isinstance(step := next_step(interviewer.knowledge, said), Ask):
        assert isinstance(step.why, Tells)
        reply = case.whole.get(step.feature)
        assert reply is not None
        said, asked = said.set(step.feature, reply), asked + 1

    assert asked


def test_a_question_that_the_release_lacks_gates_nothing(release: Release) -> None:
    assert release.questions["E_69"].parent is None


def test_chances_are_those_of_people_who_have_the_parent(release: Release) -> None:
    intensity, kind = release.questions["E_56"], release.questions["E_54"]

    assert release.categorical(intensity, "Flu") == [1 / 3, 2 / 3, 0]  # 40 - 30 without pain, 20
    assert release.categorical(intensity, "Ulcer") == [0, 0, 1]
    assert release.categorical(intensity, "Mumps") == [1, 0, 0]  # what is said without pain
    assert release.written_last(kind, "Flu") == {"V_71": 0.6, "V_112": 0.4}
    assert release.written_last(kind, "Mumps") == {}


def test_a_list_is_estimated_from_the_table_and_from_training_patients() -> None:
    last = {"a": 0.6, "b": 0.3, "c": 0.1}
    lists = [("a", "d"), ("a", "b", "c", "d")]

    def chance(value: str) -> float:
        return estimated(value, "none", last, lists, {"d": 0.25})

    assert chance("a") == pytest.approx((6 * 0.7 + 2) / 8)  # no more often than that
    assert chance("none") == pytest.approx(6 * 0.003 / 8)
    assert chance("d") == pytest.approx((6 * 0.25 + 2) / 8)  # the table cannot show it
    assert estimated("b", "none", last, (), {}) == pytest.approx(0.7)
    assert estimated("none", "none", {}, (), {}) == pytest.approx(0.997)


def test_the_true_condition_counts_only_above_a_hundredth() -> None:
    def ending(rank: int, chance: float) -> Ending:
        return Ending(0, rank, chance, 0.9, 0.0, 0.0, 3)

    endings = Endings([ending(1, 0.9), ending(2, 0.05), ending(2, 0.01), ending(4, 0.02)])

    assert [endings.named(places).hits for places in (1, 3, 5)] == [1, 2, 3]


def test_an_ending_is_judged_by_the_posterior_then(release: Release) -> None:
    interviewer = Interviewer(Topic(release, (), True), 1e-12)
    ill = patient("Ulcer", E_1=(), E_53=())
    case = case_of(interviewer.topic, interviewer.knowledge, ill, Oddities())

    ending = interviewer.ending(case, case.given)

    # 60 x 0.9, 30 x 0.1 and 10 x 0.9 of a hundred have the fever that is complained of
    assert ending.rank == 3
    assert ending.chance == pytest.approx(3 / 66)
    assert ending.lead == pytest.approx(54 / 66)
    assert (ending.asked, ending.recall, ending.precision) == (0, 1 / 2, 1)


def test_the_same_seed_disturbs_the_same_replies(release: Release) -> None:
    topic = Topic(release, (), False)
    knowledge = topic.knowledge(Settings())

    def whole(disturbance: Disturbance, topic: Topic = topic) -> Evidence:
        return case_of(topic, knowledge, patient(E_1=()), Oddities(), disturbance).whole

    half = [Disturbance(flipped=0.5, unknown=0.2, seed=seed) for seed in (1, 1, 2)]
    first, again, other = map(whole, half)
    assert first == again != other
    told = whole(Disturbance(flipped=1.0))
    undisturbed = whole(Disturbance())
    turned = {key for key, reply in undisturbed if told.get(key) != reply}
    assert turned == {"E_53", "E_69"}  # binary, and not the complaint
    alone = whole(half[0], Topic(release, (), True))
    assert all(first.get(key) == reply for key, reply in alone)


def test_age_sex_and_complaint_are_given(release: Release) -> None:
    topic = Topic(release, (), False)
    ill = patient("Flu", "E_56", E_53=(), E_56=("2",))

    case = case_of(topic, topic.knowledge(Settings()), ill, Oddities())

    assert [key for key, _ in case.given] == [AGE, SEX, "E_53", "E_56"]
    assert case.given.get(AGE) == Number(40)
    assert case.given.get(FeatureKey("E_56")) == Chosen(frozenset({OptionKey("2")}))


def test_training_patients_who_are_measured_are_left_out(release: Release, folder: Path) -> None:
    trained = read_patients(folder / TRAINING, release, Oddities())

    assert trained_on(trained, trained[:1]) == trained[1:]


def test_ages_near_a_training_patient_become_likelier(release: Release) -> None:
    child = Patient(2, 5, "M", ConditionKey("Mumps"), {}, "E_1")
    likelihoods = Topic(release, [child], False).knowledge(Settings()).likelihoods

    def chance(condition: str, option: str) -> float:
        return likelihoods[ConditionKey(condition), AGE, OptionKey(option)].probability

    assert chance("Mumps", "from_4") == pytest.approx(chance("Flu", "from_4"))  # nobody else
    old = Patient(3, 70, "F", ConditionKey("Flu"), {}, "E_1")
    likelihoods = Topic(release, [child, old], False).knowledge(Settings()).likelihoods
    assert chance("Mumps", "from_4") > chance("Ulcer", "from_4") > chance("Flu", "from_4")


def test_an_interview_ends_where_one_with_that_stop_ends(release: Release, folder: Path) -> None:
    trained = read_patients(folder / TRAINING, release, Oddities())
    interviewer = Interviewer(Topic(release, trained, False), 0.001)
    case = case_of(interviewer.topic, interviewer.knowledge, trained[0], Oddities())
    steps = list(interviewer.asking.interview(case.whole, case.given, 30))

    for stop, ending in interviewer.walk(case).items():
        leads = [interviewer.ending(case, said).lead for said in steps]
        reached = [place for place, lead in enumerate(leads) if lead >= stop]
        assert ending.asked == (reached or [len(steps) - 1])[0]


def test_it_prints_what_was_measured_beside_the_bars(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    patients = str(folder / TRAINING)
    monkeypatch.setattr(
        sys, "argv", ["ddxplus", "--data", str(folder), "--patients", patients, "--draws", "1"]
    )

    main()

    printed = capsys.readouterr().out
    assert "2 patients of ddxplus_fewshot_98.csv.gz; trained on 0 others." in printed
    assert "WARNING: 2 of the 2 training patients" in printed
    assert "**DDXPlus: bars, judged at 0.995**" in printed


def test_a_missing_file_ends_it_with_a_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = str(folder / "nowhere.csv")
    monkeypatch.setattr(sys, "argv", ["ddxplus", "--data", str(folder), "--patients", nowhere])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(
        "nowhere.csv cannot be read: No such file or directory.\n"
    )
