# SPDX-License-Identifier: Apache-2.0
"""Arguments as frameworks hand them over, written as JSON. No I/O."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import uuid
from collections.abc import Mapping
from typing import Any

from ascend._digest import MAX_DEPTH
from ascend.exceptions import AscendValidationError


def plain(value: Any, field: str, depth: int = 1) -> Any:
    """Return a value as JSON has it, whole.

    Frameworks make models of pydantic, dates, enums and the like of what a model
    wrote. These are taken apart field by field, not by their own serializers:
    those may leave fields out, which nobody would then see who approves.

    Args:
        value: The value.
        field: What it is called, for errors.
        depth: The level that it is on.

    Raises:
        AscendValidationError: it is of a type that is not known here, or nested too deep.
    """
    if depth > MAX_DEPTH:
        raise AscendValidationError(
            f"{field} is nested deeper than the limit of {MAX_DEPTH} levels", field=field, help="Flatten it."
        )
    if value is None or type(value) in (str, int, float, bool):
        return value
    if isinstance(value, enum.Enum):
        return plain(value.value, field, depth)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (decimal.Decimal, uuid.UUID)):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [plain(item, f"{field}[{i}]", depth + 1) for i, item in enumerate(value)]
    fields = _fields(value)
    if fields is not None:
        return {_name(key, field): plain(item, f"{field}.{key}", depth + 1) for key, item in fields.items()}
    kind = type(value)
    raise AscendValidationError(
        f"{field} is of type {kind.__module__}.{kind.__qualname__}, which cannot be written as JSON",
        field=field,
        help="Give parameters=, a function that makes JSON of the arguments.",
    )


def _fields(value: Any) -> Mapping[Any, Any] | None:
    if isinstance(value, Mapping):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    declared = getattr(type(value), "model_fields", None)  # a model of pydantic
    if isinstance(declared, Mapping):
        return {**{name: getattr(value, name) for name in declared}, **(getattr(value, "model_extra", None) or {})}
    return None


def _name(key: Any, field: str) -> str:
    if type(key) is str:
        return key
    if isinstance(key, enum.Enum) and type(key.value) is str:
        return key.value
    raise AscendValidationError(
        f"{field} has a key of type {type(key).__name__}", field=field, help="Keys of JSON are strings."
    )
