from xml.etree import ElementTree

import pytest

from triage.evaluation.intervals import Share
from triage.evaluation.reliability import Bin, Recorded, Reliability, from_json, svg, to_json

SVG = "{http://www.w3.org/2000/svg}"

# Worked by hand: two claims of 0.2 and 0.3 apart, four of 0.9 of which three are right.
PAIRS = [(0.2, False), (0.3, True), (0.9, True), (0.9, True), (0.9, False), (0.9, True)]
FEW = Reliability.of(PAIRS)


def test_claims_are_sorted_into_ten_bins_and_empty_ones_left_out() -> None:
    assert [(b.low, b.high, b.right.hits, b.right.of) for b in FEW.bins] == [
        (0.2, 0.3, 0, 1),
        (0.3, 0.4, 1, 1),
        (0.9, 1.0, 3, 4),
    ]
    assert [b.claimed for b in FEW.bins] == pytest.approx([0.2, 0.3, 0.9])


def test_what_is_claimed_and_what_is_right_are_told_of_all() -> None:
    assert FEW.claimed == pytest.approx((0.2 + 0.3 + 4 * 0.9) / 6)
    assert (FEW.right.hits, FEW.right.of) == (4, 6)


def test_the_calibration_error_weighs_each_bin_by_its_claims() -> None:
    # |0.2 - 0| * 1 + |0.3 - 1| * 1 + |0.9 - 0.75| * 4, over 6
    assert FEW.error == pytest.approx((0.2 + 0.7 + 0.6) / 6)


def test_claims_that_are_as_often_right_as_they_say_have_no_error() -> None:
    fair = Reliability.of([(0.75, True)] * 3 + [(0.75, False)])

    assert fair.error == 0


def test_the_order_of_the_claims_makes_no_difference() -> None:
    assert Reliability.of(reversed(PAIRS)) == FEW


@pytest.mark.parametrize(("claimed", "low"), [(0.0, 0.0), (0.7, 0.7), (1.0, 0.9)])
def test_a_claim_on_an_edge_has_its_bin(claimed: float, low: float) -> None:
    [only] = Reliability.of([(claimed, True)]).bins

    assert only.low == low


@pytest.mark.parametrize("pairs", [[], [(1.2, True)], [(float("nan"), True)]])
def test_no_claim_and_what_is_no_probability_are_refused(pairs: list[tuple[float, bool]]) -> None:
    with pytest.raises(ValueError, match=r"no claims|no probability"):
        Reliability.of(pairs)


def test_the_sentence_says_all_four_figures() -> None:
    assert FEW.sentence == (
        "6 claims: 68.3 % claimed, 66.7 % right (30.0 to 90.3), calibration error 25.0 %."
    )


def test_a_record_has_one_text_and_comes_back_from_it() -> None:
    text = to_json(Recorded("“Few” and all", "Six claims.", FEW))

    record = from_json(text)

    assert (record.title, record.about) == ("“Few” and all", "Six claims.")
    assert [b.right for b in record.reliability.bins] == [b.right for b in FEW.bins]
    assert record.reliability.error == pytest.approx(FEW.error)
    assert to_json(record) == text


@pytest.mark.parametrize("right", ['"right": 5', '"right": -1'])
def test_a_record_that_cannot_be_is_refused(right: str) -> None:
    text = to_json(Recorded("Few", "Six claims.", FEW)).replace('"right": 3', right)

    with pytest.raises(ValueError, match="a bin has claims"):
        from_json(text)


def test_the_diagram_says_in_words_what_it_shows() -> None:
    root = ElementTree.fromstring(svg("Few & far", FEW))

    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "Few & far"
    told = root.findtext(f"{SVG}desc") or ""
    assert told.startswith(FEW.sentence)
    assert "From 90 to 100 %: 4 claims, 90.0 % claimed, 75.0 % right (30.1 to 95.4)." in told
    labels = [root.find(f"*[@id='{key}']") for key in str(root.get("aria-labelledby")).split()]
    assert [label is not None for label in labels] == [True, True]


def test_the_diagram_has_a_light_and_a_dark_dress_and_nothing_from_outside() -> None:
    text = svg("Few", FEW)

    assert "prefers-color-scheme: dark" in text
    assert "url(" not in text
    assert "href" not in text
    assert text.count("http") == 1  # the name of SVG itself


def test_each_bin_has_a_point_where_it_belongs_and_its_count() -> None:
    half = Reliability((Bin(0.5, 0.6, 0.5, Share(50, 100)), Bin(0.9, 1.0, 1.0, Share(0, 200_000))))

    root = ElementTree.fromstring(svg("Half", half))

    points = [(circle.get("cx"), circle.get("cy")) for circle in root.iter(f"{SVG}circle")]
    assert points == [("198.0", "184.0"), ("348.0", "334.0")]  # the middle, and bottom right
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert "100" in texts
    assert "200k" in texts


def test_the_interval_of_a_bin_is_drawn_around_its_point() -> None:
    root = ElementTree.fromstring(svg("Few", FEW))

    marks = [mark for mark in root.iter(f"{SVG}line") if mark.get("class") == "mark path"]
    low, high = Share(3, 4).interval
    ends = [float(str(marks[-1].get(name))) for name in ("y1", "y2")]
    assert ends == pytest.approx([334 - 300 * low, 334 - 300 * high], abs=0.1)


def test_nothing_of_the_diagram_lies_outside_it() -> None:
    root = ElementTree.fromstring(svg("Few", FEW))

    width, height = (float(str(root.get(name))) for name in ("width", "height"))
    assert width == 360
    for box in root.iter(f"{SVG}rect"):
        right = float(box.get("x", "0")) + float(str(box.get("width")))
        bottom = float(box.get("y", "0")) + float(str(box.get("height")))
        assert right <= width
        assert bottom <= height
