# SPDX-License-Identifier: Apache-2.0
"""Writes the reference of the Python SDK out of its docstrings.

`make python-docs` runs it, and `make docs` does too. What it documents is what
the modules' `__all__` name, and of classes every public method, inherited ones
too. Something public without a docstring is an error.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import griffe

PACKAGE = "ascend"
TITLES = {
    griffe.DocstringSectionKind.parameters: "Argument",
    griffe.DocstringSectionKind.attributes: "Attribute",
    griffe.DocstringSectionKind.raises: "Raises",
    griffe.DocstringSectionKind.returns: "Returns",
    griffe.DocstringSectionKind.yields: "Yields",
}


class MissingError(Exception):
    """Something public says nothing of itself."""


def main() -> int:
    """Write the page; say what is missing otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", required=True, type=Path, help="folder that the package is in")
    parser.add_argument("--out", required=True, type=Path, help="file to write")
    arguments = parser.parse_args()
    try:
        page = "\n".join(lines(arguments.source))
    except MissingError as missing:
        print(f"pythondocs: {missing}", file=sys.stderr)
        return 1
    arguments.out.write_text(re.sub(r"\n{3,}", "\n\n", page).rstrip() + "\n", encoding="utf-8")
    return 0


def lines(source: Path) -> Iterator[str]:
    """Yield the page."""
    package = griffe.load(PACKAGE, search_paths=[source], docstring_parser="google", allow_inspection=False)
    if not isinstance(package, griffe.Module):
        raise MissingError(f"{PACKAGE} is no package")
    modules = sorted(documented(package), key=lambda module: (module.path != PACKAGE, module.path))
    # What the package itself exports is told there.
    told = {package[name].canonical_path for name in exported(package)}
    modules = [m for m in modules if m is package or {m[name].canonical_path for name in exported(m)} - told]
    yield f"<!-- Generated from {source}/{PACKAGE} by `make python-docs`. Do not edit. -->"
    yield "\n# Python reference\n"
    yield "What the package `ascend-sdk` has. How to begin: [the Python SDK](../sdk-python.md).\n"
    for module in modules:
        links = ", ".join(f"[{name}](#{anchor(module, name)})" for name in exported(module))
        yield f"- [`{module.path}`](#{slug(module.path)}): {links}"
    for module in modules:
        yield from module_lines(module)


def documented(package: griffe.Module) -> Iterator[griffe.Module]:
    """Yield the modules that say what they export."""
    if package.exports is not None:
        yield package
    for module in package.modules.values():
        if not module.name.startswith("_") and isinstance(module, griffe.Module):
            yield from documented(module)


def exported(module: griffe.Module) -> list[str]:
    """Return what the module exports, without `__version__`."""
    return sorted(str(name) for name in module.exports or [] if not str(name).startswith("_"))


def module_lines(module: griffe.Module) -> Iterator[str]:
    """Yield a module's part of the page."""
    yield f"\n## {module.path}\n"
    yield from docstring_lines(module)
    for name in exported(module):
        member = module[name]
        target = member.final_target if isinstance(member, griffe.Alias) else member
        yield f'\n<a id="{anchor(module, name)}"></a>\n'
        yield f"### {name}\n"
        if isinstance(target, griffe.Class):
            yield from class_lines(name, target)
        elif isinstance(target, griffe.Function):
            yield from function_lines(name, target)
        else:
            yield from docstring_lines(target)


def class_lines(name: str, class_: griffe.Class) -> Iterator[str]:
    """Yield a class with its methods."""
    bases = [str(base) for base in class_.bases if not str(base).rpartition(".")[2].startswith("_")]
    if any(base.endswith(("Error", "Exception")) for base in bases):
        yield f"A {', '.join(f'`{base}`' for base in bases)}.\n"
    else:
        yield f"```python\n{signature(name, parameters(class_.parameters), None)}\n```\n"
    yield from docstring_lines(class_)
    members = {**class_.inherited_members, **class_.members}
    for member_name in sorted(members):
        member = members[member_name]
        target = member.final_target if isinstance(member, griffe.Alias) else member
        if member_name.startswith("_") or not (target.is_function or "property" in target.labels):
            continue
        yield f"#### {name}.{member_name}\n"
        if isinstance(target, griffe.Function) and "property" not in target.labels:
            yield from function_lines(member_name, target)
        else:
            yield from docstring_lines(target)


def function_lines(name: str, function: griffe.Function) -> Iterator[str]:
    """Yield a function or a method."""
    prefix = "async " if "async" in function.labels else ""
    yield f"```python\n{prefix}{signature(name, parameters(function.parameters), function.returns)}\n```\n"
    yield from docstring_lines(function)


def parameters(given: griffe.Parameters) -> list[str]:
    """Return the parameters as one writes them, without `self`."""
    written: list[str] = []
    star = False
    for parameter in given:
        if parameter.name in {"self", "cls"}:
            continue
        kind = parameter.kind
        if kind is griffe.ParameterKind.var_positional:
            star = True
        elif kind is griffe.ParameterKind.keyword_only and not star:
            written.append("*")
            star = True
        prefix = {griffe.ParameterKind.var_positional: "*", griffe.ParameterKind.var_keyword: "**"}.get(kind, "")
        default = "" if parameter.default is None or prefix else f" = {parameter.default}"
        annotation = "" if parameter.annotation is None else f": {parameter.annotation}"
        written.append(f"{prefix}{parameter.name}{annotation}{default}")
    return written


def signature(name: str, arguments: list[str], returns: object) -> str:
    """Return a signature, broken where it is long."""
    result = "" if returns is None else f" -> {returns}"
    short = f"{name}({', '.join(arguments)}){result}"
    if len(short) <= 100:
        return short
    broken = ",\n    ".join(arguments)
    return f"{name}(\n    {broken},\n){result}"


def docstring_lines(of: griffe.Object | griffe.Alias) -> Iterator[str]:
    """Yield what the docstring says: prose, and a table for what has rows."""
    if of.docstring is None or not of.docstring.value.strip():
        raise MissingError(f"{of.path} has no docstring")
    for section in of.docstring.parsed:
        if section.kind in TITLES:
            yield from table(section)
        elif section.kind is griffe.DocstringSectionKind.examples:
            yield "```python"
            for _, text in section.value:
                yield text
            yield "```\n"
        elif section.kind is griffe.DocstringSectionKind.admonition:
            yield f"**{section.title}:** {section.value.description}\n"
        else:
            yield f"{section.value}\n"


def table(section: griffe.DocstringSection) -> Iterator[str]:
    """Yield the rows of a section."""
    rows = [(first_cell(section.kind, item), cell(item.description)) for item in section.value]
    yield f"| {TITLES[section.kind]} | |\n| --- | --- |"
    for first, description in rows:
        yield f"| {first} | {description} |"
    yield ""


def first_cell(kind: griffe.DocstringSectionKind, item: griffe.DocstringElement) -> str:
    """Return what a row is about: a name with its type, or a type alone."""
    name = getattr(item, "name", "")
    annotation = "" if item.annotation is None else f"`{cell(str(item.annotation))}`"
    if not name or kind is griffe.DocstringSectionKind.raises:
        return annotation
    return f"`{name}` {annotation}".rstrip()


def cell(text: str) -> str:
    """Return text that stands in a table."""
    return " ".join(text.split()).replace("|", "\\|")


def slug(heading: str) -> str:
    """Return the anchor that a heading gets."""
    return re.sub(r"[^a-z0-9_-]", "", heading.lower())


def anchor(module: griffe.Module, name: str) -> str:
    """Return the anchor of what a module exports: names recur in modules."""
    return f"{module.path}.{name}".lower().replace(".", "-")


if __name__ == "__main__":
    sys.exit(main())
