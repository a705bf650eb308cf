"""What is said of values that do not fit: where they were, how many, and what became of them."""

from __future__ import annotations

from support.cases import cases

from tap_leads.records.misfits import Misfit, Misfits
from tap_leads.records.selection import Path, Selection

KEPT = "kept unchanged in 'additional_fields'"
KEPT_IN_PART = "kept in 'additional_fields', without the parts of it that you deselected or mapped"
LEFT_OUT = "left out, as you deselected or mapped it"
HIDDEN = "(hidden name)"


def sentences(*paths: Path, is_object: bool = False, **outputs: Selection) -> list[str]:
    """What is said of an unknown value at each path."""
    misfits = Misfits()
    for path in paths:
        misfits.add(Misfit(path, known=False, is_object=is_object))
    return list(misfits.sentences(outputs or {"contacts": Selection()}))


@cases(
    name=(("plan",), "plan"),
    signs=(("_Plan-2",), "_Plan-2"),
    path=(("a", "b"), "a.b"),
    longest=(("a" + 63 * "b",), "a" + 63 * "b"),
    too_long=(("a" + 64 * "b",), HIDDEN),
    digit=(("2plan",), HIDDEN),
    address=(("jane@example.com",), HIDDEN),
    person=(("a", "Jane Doe"), f"a.{HIDDEN}"),
    empty=(("",), HIDDEN),
    others=(("(other names)",), "(other names)"),
)
def test_a_name_that_may_be_personal_data_is_hidden(path: Path, name: str) -> None:
    assert sentences(path) == [f"Field '{name}' is not known in 1 lead(s): {KEPT}."]


def test_each_field_has_one_sentence_with_its_count_in_alphabetical_order() -> None:
    misfits = Misfits()
    misfits.add(Misfit(("b",), known=True, is_object=False), 2)
    misfits.add(Misfit(("b",), known=True, is_object=True), 3)
    misfits.add(Misfit(("b",), known=False, is_object=False))
    misfits.add(Misfit(("a",), known=False, is_object=False))
    assert list(misfits.sentences({"contacts": Selection()})) == [
        f"Field 'a' is not known in 1 lead(s): {KEPT}.",
        f"Field 'b' is not known in 1 lead(s): {KEPT}.",
        f"Field 'b' holds a value of another type in 5 lead(s): {KEPT}.",
    ]


def test_after_a_hundred_fields_the_others_are_counted_together() -> None:
    paths = [(f"field-{number:03}",) for number in range(102)]
    found = sentences(*paths, paths[0], paths[101])
    assert len(found) == 101
    assert found[0] == f"Field '(other names)' is not known in 3 lead(s): {KEPT}."
    assert found[1] == f"Field 'field-000' is not known in 2 lead(s): {KEPT}."
    assert found[100] == f"Field 'field-099' is not known in 1 lead(s): {KEPT}."


def test_streams_with_other_selections_are_named() -> None:
    drops = Selection.of([("a",)], ())
    assert sentences(("a",), ("b",), one=Selection(), two=drops, three=Selection()) == [
        f"Field 'a' is not known in 1 lead(s): in 'one', 'three' {KEPT}; in 'two' {LEFT_OUT}.",
        f"Field 'b' is not known in 1 lead(s): {KEPT}.",
    ]


def test_an_object_of_which_parts_are_left_out_is_kept_in_part() -> None:
    assert sentences(("a",), is_object=True, contacts=Selection.of([("a", "b")], ())) == [
        f"Field 'a' is not known in 1 lead(s): {KEPT_IN_PART}."
    ]
