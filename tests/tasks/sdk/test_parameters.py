"""The form that a signature makes, and how what people give becomes its values, or one line that says what to give."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.errors import InputInvalid
from tasks.sdk.parameters import MAX_TEXT, Kind, Parameter, check_parameters, form_of, parse_parameters
from tests.support.properties import examples

Kinds = Literal["a", "b", "c"]


def everything(
    run: object,
    text: str,
    whole: int = 3,
    number: float = 1.5,
    yes: bool = False,
    one: Kinds = "a",
    some: tuple[Kinds, ...] = ("a", "b"),
    texts: tuple[str, ...] = (),
    maybe: int | None = None,
    perhaps: str | None = None,
) -> None:
    """Does everything.

    Args:
        text: what to say
        whole: how often,
            at most
        some (tuple): which of them

    Returns:
        nothing: at all
    """


FORM = form_of(everything)
BY_NAME = {parameter.name: parameter for parameter in FORM}


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(InputInvalid, match=r"\A[^\n]+\Z") as caught:
        call()
    return str(caught.value)


# ---- the form


def test_a_signature_is_a_form() -> None:
    assert [(p.name, p.kind.value, p.required, p.default, p.optional) for p in FORM] == [
        ("text", "text", True, None, False),
        ("whole", "integer", False, 3, False),
        ("number", "number", False, 1.5, False),
        ("yes", "boolean", False, False, False),
        ("one", "choice", False, "a", False),
        ("some", "choices", False, ["a", "b"], False),
        ("texts", "texts", False, [], False),
        ("maybe", "integer", False, None, True),
        ("perhaps", "text", False, None, True),
    ]
    assert BY_NAME["one"].choices == BY_NAME["some"].choices == ("a", "b", "c")


def test_help_comes_from_the_docstring() -> None:
    helps = {p.name: p.help for p in FORM if p.help}
    assert helps == {"text": "what to say", "whole": "how often, at most", "some": "which of them"}


def test_without_a_hint_a_parameter_is_a_text() -> None:
    def bare(run, name="x"): ...  # type: ignore[no-untyped-def]

    assert form_of(bare) == (Parameter("name", Kind.TEXT, False, "x"),)


def test_no_parameters_make_an_empty_form() -> None:
    assert form_of(lambda run: None) == ()
    assert check_parameters((), {}) == {}


def test_what_no_form_can_hold_is_refused_when_it_is_written() -> None:
    def a_dict(run: object, x: dict[str, str]) -> None: ...
    def numbers(run: object, x: tuple[int, ...]) -> None: ...
    def either(run: object, x: int | str) -> None: ...
    def choices_of_numbers(run: object, x: Literal[1, 2]) -> None: ...
    def anything(run: object, *x: str) -> None: ...
    def named(run: object, **x: str) -> None: ...

    for function in (a_dict, numbers, either, choices_of_numbers, anything, named):
        with pytest.raises(TypeError, match="'x'"):
            form_of(function)


# ---- from texts


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("text", " as it is ", " as it is "),
        ("whole", " 42 ", 42),
        ("whole", "-1", -1),
        ("number", "2", 2.0),
        ("number", "1e3", 1000.0),
        ("yes", "Yes", True),
        ("yes", "on", True),
        ("yes", "1", True),
        ("yes", "off", False),
        ("yes", "FALSE", False),
        ("one", "b", "b"),
        ("some", "c, a ,c,", ["a", "c"]),
        ("some", "", []),
        ("texts", "y,x,x", ["x", "y"]),
        ("maybe", "5", 5),
        ("perhaps", "", ""),
    ],
)
def test_texts_become_values(name: str, text: str, value: object) -> None:
    found = parse_parameters(FORM, {"text": "x", name: text})[name]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("whole", "two", "give a whole number"),
        ("whole", "1.5", "give a whole number"),
        ("whole", "", "give a whole number"),
        ("whole", "9" * 20, "give a whole number"),
        ("whole", "9" * 5000, "give a whole number"),
        ("number", "nan", "give a number"),
        ("number", "inf", "give a number"),
        ("number", "1e999", "give a number"),
        ("yes", "maybe", "give true or false"),
        ("yes", "", "give true or false"),
        ("one", "d", "give one of a, b, c"),
        ("one", "", "give one of a, b, c"),
        ("some", "a,d", "give one of a, b, c"),
        ("text", "a\x1b[31mb", "without control characters"),
        ("text", "a\nb", "without control characters"),
        ("text", "a\ud800b", "without control characters"),
        ("text", "x" * (MAX_TEXT + 1), f"at most {MAX_TEXT} characters"),
        ("texts", "a,b\x00", "without control characters"),
    ],
)
def test_what_is_none_is_named_with_what_to_give(name: str, text: str, told: str) -> None:
    line = refused(lambda: parse_parameters(FORM, {"text": "x", name: text}))
    assert f"parameter '{name}'" in line
    assert told in line
    assert len(line) < 200


@pytest.mark.parametrize(
    "secret", ["Bearer abcdef123456", "password=hunter2", "abc8Q~abcdefghijkl", "postgresql://u:hunter2@h/d"]
)
def test_a_secret_is_no_parameter(secret: str) -> None:
    """Parameters are stored, so what looks like a secret is refused, and not repeated."""
    for given_ in ({"text": secret}, {"text": "x", "texts": f"a,{secret}"}):
        line = refused(partial(parse_parameters, FORM, given_))
        assert "looks as if it held a secret" in line
        assert secret not in line


def test_ids_and_names_are_parameters() -> None:
    for text in (
        "6F9619FF-8b86-d011-b42d-00cf4fc964ff",
        "Windows 11: Baseline (v2)",
        "bob@contoso.com",
        "O'Brien & Söhne",
    ):
        assert parse_parameters(FORM, {"text": text})["text"] == text


def test_what_is_missing_or_unknown_is_named() -> None:
    assert refused(lambda: parse_parameters(FORM, {})) == "parameter 'text' is missing: give text=VALUE"
    line = refused(lambda: parse_parameters(FORM, {"text": "x", "txet": "y"}))
    assert line.startswith("there is no parameter 'txet': known are: text, whole,")
    assert refused(lambda: check_parameters((), {"x": 1})) == "there is no parameter 'x': known are: none"


# ---- from values


def test_defaults_fill_what_is_not_given() -> None:
    assert check_parameters(FORM, {"text": "x"}) == {
        "text": "x", "whole": 3, "number": 1.5, "yes": False, "one": "a", "some": ["a", "b"], "texts": [],
        "maybe": None, "perhaps": None,
    }  # fmt: skip


def test_none_is_a_value_where_it_may_be() -> None:
    assert check_parameters(FORM, {"text": "x", "maybe": None})["maybe"] is None
    for name in ("text", "whole", "number", "yes", "one", "some"):
        assert f"'{name}' cannot be" in refused(partial(check_parameters, FORM, {"text": "x", name: None}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text", 1), ("text", ["x"]), ("whole", "1"), ("whole", 1.0), ("whole", True), ("whole", 2**53), ("number", True),
        ("number", "1"), ("number", float("nan")), ("yes", 1), ("yes", "true"), ("one", ["a"]), ("one", "d"),
        ("some", "a"), ("some", [1]), ("some", {"a": 1}), ("texts", "x"), ("texts", [None]),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_refused(name: str, value: object) -> None:
    assert f"parameter '{name}'" in refused(lambda: check_parameters(FORM, {"text": "x", name: value}))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.sampled_from(["a", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@examples(100)
@given(st.dictionaries(st.sampled_from([p.name for p in FORM]), anything))
def test_any_values_are_refused_or_can_be_stored_and_given_again(values: dict[str, Any]) -> None:
    try:
        found = check_parameters(FORM, values)
    except InputInvalid:
        return
    stored = json.loads(json.dumps(found, allow_nan=False))
    assert check_parameters(FORM, stored) == found


@examples(100)
@given(st.dictionaries(st.sampled_from([p.name for p in FORM]), st.text(max_size=12)))
def test_any_texts_are_values_or_one_error(texts: dict[str, str]) -> None:
    try:
        found = parse_parameters(FORM, texts)
    except InputInvalid:
        return
    assert check_parameters(FORM, found) == found


# ---- required means given


def needs(
    run: object,
    zone: str,
    zones: tuple[str, ...],
    kinds: tuple[Literal["a", "b"], ...],
    key: str = "",
    note: str | None = None,
) -> None:
    """Three are required."""


@pytest.mark.parametrize("name", ["zone", "zones", "kinds"])
@pytest.mark.parametrize("text", ["", "   ", "\t", "\u00a0"])
def test_what_is_required_is_not_empty(name: str, text: str) -> None:
    form, given = form_of(needs), {"zone": "z", "zones": "z", "kinds": "a"}
    assert parse_parameters(form, given)["zone"] == "z"
    with pytest.raises(InputInvalid, match=f"parameter '{name}' (is empty|cannot be)"):
        parse_parameters(form, {**given, name: text})


def test_of_what_is_required_values_are_as_little_empty_as_texts() -> None:
    form, given = form_of(needs), {"zone": "z", "zones": ["z"], "kinds": ["a"]}
    for name, empty in (("zone", ""), ("zone", " "), ("zones", []), ("zones", [""]), ("kinds", [])):
        with pytest.raises(InputInvalid, match=f"parameter '{name}' is empty: give {name}=VALUE"):
            check_parameters(form, {**given, name: empty})


def test_a_parameter_with_a_default_may_be_empty() -> None:
    given = {"zone": "z", "zones": "z", "kinds": "a", "key": "", "note": ""}
    parsed = parse_parameters(form_of(needs), given)
    assert (parsed["key"], parsed["note"]) in {("", ""), ("", None)}
