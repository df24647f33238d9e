"""The JSON Schema of a topic's file, made from the models, and its refusals in plain sentences.

`topic.schema.json` beside this file is the same, for whoever checks a file elsewhere.
"""

import json
import math
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from django.db.backends.base.operations import BaseDatabaseOperations
from jsonschema import Draft202012Validator, TypeChecker, ValidationError
from jsonschema.validators import extend

from .fixtures import FILES, identity_of

FORMAT = "triage-topic/1"
DIGEST = r"^[0-9a-f]{12}$"
TEXT = r"^[^\x00\ud800-\udfff]*$"
"""Neither the character that Postgres cannot keep, nor halves of one, which no file can hold."""
MOST_TEXT = 1_000_000
DATE = r"^\d{4}-\d{2}-\d{2}$"

type Schema = dict[str, Any]


def topic_schema() -> Schema:
    """Return the schema of a whole file."""
    digests = {"type": "array", "items": {"type": "string", "pattern": DIGEST}}
    parts = {
        part: _row_reference(part) if part == "topic" else _list_of(_row_reference(part))
        for part in FILES
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A topic's drafts",
        "description": "Each row names others by their keys. A row's digest is the first 12 digits"
        " of the SHA-256 of its JSON with sorted keys and no spaces; a part's is made of the"
        " digests of its rows, one a line; sha256 is that of all the parts.",
        **_object(
            {
                "format": {"const": FORMAT},
                "topic": {"type": "string", "pattern": TEXT},
                "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                "parts": _object(parts),
                "digests": _object(
                    {part: _object({"all": digests["items"], "rows": digests}) for part in FILES}
                ),
            }
        ),
        "$defs": {part: row_schema(model) for part, model in FILES.items()},
    }


def written_schema() -> str:
    return json.dumps(topic_schema(), indent=2, ensure_ascii=True) + "\n"


def row_schema(model: type[models.Model]) -> Schema:
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    return {
        "title": str(model._meta.verbose_name),
        **_object({field.name: _field(field) for field in (*fields, *model._meta.many_to_many)}),
    }


def misfits(part: str, row: Any) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the form of a row: the field, or nothing, and a sentence."""
    for error in _validator(part).iter_errors(row):
        name = next((str(step) for step in error.absolute_path), "")
        yield from _said(error, name, FILES[part])


def misshapen(document: Any) -> Iterator[str]:
    """Yield what is wrong with the frame of a file; its rows and digests are looked at apart."""
    for error in _frame().iter_errors(document):
        name = ".".join(str(step) for step in error.absolute_path)
        for _, what in _said(error, name, None):
            yield f"“{name}” {what}" if name else f"The file {what}"


def _row_reference(part: str) -> Schema:
    return {"$ref": f"#/$defs/{part}"}


def _list_of(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _object(properties: Mapping[str, Any]) -> Schema:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _field(field: "models.Field[Any, Any]") -> Schema:
    schema = _values(field)
    if field.null:
        schema = {"anyOf": [schema, {"type": "null"}]}
    help_text = {"description": str(field.help_text)} if field.help_text else {}
    return {"title": str(field.verbose_name), **help_text, **schema}


def _values(field: "models.Field[Any, Any]") -> Schema:
    match field:
        case models.ManyToManyField():
            return {**_list_of(_key(field.related_model)), "uniqueItems": True}
        case models.ForeignKey():
            return _key(field.related_model)
        case models.BooleanField():
            return {"type": "boolean"}
        case models.IntegerField():
            low, high = BaseDatabaseOperations.integer_field_ranges[field.get_internal_type()]
            return {"type": "integer", "minimum": low, "maximum": high}
        case models.FloatField():
            return {"type": "number"}
        case models.DateField():
            return {"type": "string", "pattern": DATE}
        case models.JSONField():
            return {}
        case models.CharField() | models.TextField() if field.choices:
            blank = [""] if field.blank else []
            return {"enum": [*blank, *(value for value, _ in field.flatchoices)]}
        case models.CharField() | models.TextField():
            return _text(field)
        case _:
            raise TypeError(f"A file has no form for {field}: say one here.")


def _text(field: "models.Field[Any, Any]") -> Schema:
    return {
        "type": "string",
        "pattern": next((pattern for pattern, _ in _patterns(field)), TEXT),
        "minLength": 0 if field.blank else 1,
        "maxLength": field.max_length or MOST_TEXT,
    }


def _patterns(field: Any) -> Iterator[tuple[str, str]]:
    """Yield the patterns that a text has to fit, each with the sentence for one that does not."""
    for validator in field.validators:
        if isinstance(validator, RegexValidator):
            regex: Any = validator.regex
            yield regex.pattern, str(validator.message)


def _key(model: Any) -> Schema:
    length = _words_in_key(model)
    return {
        "type": "array",
        "items": {"type": "string"},
        "minItems": length,
        "maxItems": length,
    }


def _words_in_key(model: type[models.Model]) -> int:
    fields = [model._meta.get_field(name) for name in identity_of(model)]
    return sum(
        _words_in_key(field.related_model) if isinstance(field, models.ForeignKey) else 1
        for field in fields
    )


def _is_number(_: TypeChecker, value: Any) -> bool:
    """Infinity and “not a number” are no numbers, though Python reads them from JSON."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(_: TypeChecker, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_Checker: Any = extend(  # type: ignore[no-untyped-call] # the stubs leave it so
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"number": _is_number, "integer": _is_whole}
    ),
)


@cache
def _validator(part: str) -> Any:
    return _Checker(row_schema(FILES[part]))


@cache
def _frame() -> Any:
    """The schema of a file whose rows and digests are looked at apart."""
    frame = topic_schema()
    del frame["$defs"]
    properties = frame["properties"]
    properties["parts"]["properties"] = {
        part: {"type": "object" if part == "topic" else "array"} for part in FILES
    }
    for digests in properties["digests"]["properties"].values():
        digests["properties"]["rows"] = {"type": "array"}
    return _Checker(frame)


TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "an object with fields",
    "string": "a text",
}


def _said(
    error: ValidationError, name: str, model: type[models.Model] | None
) -> Iterator[tuple[str, str]]:
    """Yield the field and the sentence of one refusal; those of a row's own fields name each."""
    wanted: Any = error.validator_value
    schema: Any = error.schema
    found: Any = error.instance
    match error.validator:
        case "required":
            for missing in wanted:
                if f"'{missing}' is a required property" == error.message:
                    yield (missing, "is missing.") if model else (name, f"lacks “{missing}”.")
        case "additionalProperties":
            for unknown in sorted(set(found) - set(schema["properties"])):
                if model:
                    yield unknown, "is no field of it."
                else:
                    yield name, f"has {shown(unknown)}, which is unknown here."
        case "anyOf":
            for inner in error.context or ():
                if inner.validator != "type" or inner.validator_value != "null":
                    yield from ((name, what) for _, what in _said(inner, name, model))
        case "type":
            yield name, f"is {shown(found)}; it must be {TYPES[wanted]}."
        case "enum":
            listed = ", ".join(each or "nothing" for each in wanted)
            yield name, f"is {shown(found)}; it must be one of: {listed}."
        case "const":
            yield name, f"is {shown(found)}; this site reads {shown(wanted)} only."
        case "pattern":
            yield name, f"is {shown(found)}, which {_why_not(wanted, name, model)}"
        case "minLength":
            yield name, "must not be empty."
        case "maxLength":
            yield name, f"is too long: {len(found)} characters, of {wanted} at the most."
        case "minimum" | "maximum":
            most = "at the least" if error.validator == "minimum" else "at the most"
            yield name, f"is {shown(found)}; it must be {wanted} {most}."
        case "minItems" | "maxItems":
            yield name, f"is {shown(found)}; it must name a row by {wanted} keys."
        case "uniqueItems":
            yield name, "names the same row twice."
        case _:
            yield name, error.message


def _why_not(pattern: str, name: str, model: type[models.Model] | None) -> str:
    if pattern == TEXT:
        return "holds a character that no database can keep."
    if pattern == DATE:
        return "is no date, such as 2026-03-31."
    if model:
        return f"does not fit: {dict(_patterns(model._meta.get_field(name)))[pattern]}"
    return "is not of the form that it has to have."


def shown(value: Any) -> str:
    """Return a value as it stands in the file, cut short."""
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 60 else f"{text[:59]}…"
