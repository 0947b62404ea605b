"""Reads an automation file (YAML 1.2, of which JSON is a part) and remembers where each value stands.

Everything that is wrong with a file becomes a `Problem`: the checks that follow collect theirs, so that a
person sees all of them at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from engine.errors import ConfigurationError

if TYPE_CHECKING:
    from ruamel.yaml.error import MarkedYAMLError
    from ruamel.yaml.nodes import MappingNode, Node

KeyPath = tuple[str | int, ...]
"""Way from the root of a document to a value: `("actions", "buy", "after", 0)`."""

MAX_TEXT: Final = 8_000_000
"""Characters of a file: some 50,000 actions."""

MAX_VALUES: Final = 1_000_000
"""Values of a file after its aliases are followed, so that nested aliases cannot exhaust the memory."""

_MAX_DEPTH: Final = 50


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a file.

    Attributes:
        file: name of the file, as the user gave it.
        line, column: where, from 1.
        action: id of the action it belongs to, if any.
        message: what is wrong and what was expected.
        hint: what to write instead, if there is an obvious candidate.
    """

    file: str
    line: int
    column: int
    message: str
    action: str | None = None
    hint: str | None = None

    def __str__(self) -> str:
        action = f"action {self.action!r}: " if self.action is not None else ""
        hint = f" {self.hint}" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column}: {action}{self.message}.{hint}"


class AutomationFileError(ConfigurationError):
    """An automation file is wrong; `problems` holds everything that is, in the order of the file."""

    code = "invalid_automation_file"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.line, problem.column)))
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True)
class FilePlace:
    """Where a value stands in the text: lines and columns from 1."""

    line: int
    column: int


@dataclass(slots=True)
class Document:
    """A file's plain values, with the place of each key and value.

    Attributes:
        name: name of the file, for messages.
        value: dicts, lists and scalars.
    """

    name: str
    lines: list[str]
    value: Any = None
    _values: dict[KeyPath, Node] = field(default_factory=dict)
    _keys: dict[KeyPath, Node] = field(default_factory=dict)

    def place(self, path: KeyPath) -> FilePlace:
        """Return where the value at `path` stands, or the closest value around it."""
        return _place(self._closest(self._values, path))

    def place_of_key(self, path: KeyPath) -> FilePlace:
        """Return where the key of the value at `path` stands, or the closest key around it."""
        return _place(self._closest(self._keys or self._values, path))

    def place_in_text(self, path: KeyPath, line: int, column: int) -> FilePlace:
        """Return where line and column (from 1) of the text value at `path` stand in the file.

        Texts that YAML folds lose their line ends; for those it is the start of the text.
        """
        node = self._closest(self._values, path)
        start = node.start_mark.line
        style = getattr(node, "style", None)
        if style == "|":
            first = next((text for text in self.lines[start + 1 :] if text.strip()), "")
            indent = len(first) - len(first.lstrip(" "))
            return FilePlace(start + 1 + line, indent + column)
        if node.start_mark.line != node.end_mark.line or style == ">":
            return _place(node)
        quote = 1 if style in ("'", '"') else 0
        return FilePlace(start + 1, node.start_mark.column + quote + column)

    def problem(
        self, path: KeyPath, message: str, *, hint: str | None = None, at_key: bool = False
    ) -> Problem:
        """Return the problem that stands at `path`."""
        return self.problem_at(self.place_of_key(path) if at_key else self.place(path), path, message, hint)

    def problem_at(self, place: FilePlace, path: KeyPath, message: str, hint: str | None = None) -> Problem:
        """Return a problem of the value at `path` that stands at a given place."""
        action = str(path[1]) if len(path) > 1 and path[0] == "actions" else None
        return Problem(self.name, place.line, place.column, message, action, hint)

    def _closest(self, nodes: Mapping[KeyPath, Node], path: KeyPath) -> Node:
        for length in range(len(path), -1, -1):
            if (node := nodes.get(path[:length])) is not None:
                return node
        return next(iter(nodes.values()))


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Return a hint with the known name that looks most like `name`, if one does."""
    matches = get_close_matches(name, list(known), n=1)
    return f"Did you mean `{matches[0]}`?" if matches else None


def read_document(text: str, name: str) -> Document:
    """Read YAML or JSON into plain values that know their place.

    Args:
        text: content of the file.
        name: how messages call the file.

    Raises:
        AutomationFileError: the text is not YAML, not one document, holds a key twice, or is too large.
    """
    if len(text) > MAX_TEXT:
        raise AutomationFileError([Problem(name, 1, 1, f"the file is larger than {MAX_TEXT:,} characters")])
    if text.lstrip()[:1] == "{":
        text = text.replace("\t", " ")  # JSON may be indented with tabs, YAML may not
    root = _compose(text, name)
    document = Document(name, text.splitlines())
    reader = _Reader(document)
    document.value = reader.read(root, ())
    if reader.problems:
        raise AutomationFileError(reader.problems)
    return document


def _compose(text: str, name: str) -> Node:
    from ruamel.yaml import YAML  # 0.1 s to import; a worker never reads files
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        root: Node | None = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise AutomationFileError([Problem(name, line, column, _yaml_message(error))]) from None
    except (YAMLError, RecursionError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else "the text is nested too deeply"
        raise AutomationFileError([Problem(name, 1, 1, f"this is not YAML or JSON: {reason}")]) from None
    if root is None:
        hint = "Start with `name:` and `actions:`."
        raise AutomationFileError([Problem(name, 1, 1, "the file is empty", hint=hint)])
    return root


def _yaml_message(error: MarkedYAMLError) -> str:
    context = f"{error.context}: " if error.context else ""
    return f"this is not YAML or JSON: {context}{error.problem}"


class _Reader:
    """Turns composed YAML nodes into plain values, noting where each stands."""

    def __init__(self, document: Document) -> None:
        self.problems: list[Problem] = []
        self._document = document
        self._count = 0

    def read(self, node: Node, path: KeyPath) -> Any:
        from ruamel.yaml.nodes import MappingNode, SequenceNode  # see _compose

        self._document._values[path] = node
        self._count += 1
        if self._count > MAX_VALUES or len(path) > _MAX_DEPTH:
            self._stop(node, path)
        if isinstance(node, MappingNode):
            return {key: self.read(value, (*path, key)) for key, value in self._pairs(node, path)}
        if isinstance(node, SequenceNode):
            return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _stop(self, node: Node, path: KeyPath) -> None:
        place = _place(node)
        message = f"the file holds more than {MAX_VALUES:,} values or more than {_MAX_DEPTH} levels"
        raise AutomationFileError([self._document.problem_at(place, path, message)])

    def _pairs(self, node: MappingNode, path: KeyPath) -> Iterator[tuple[str, Node]]:
        from ruamel.yaml.nodes import ScalarNode  # see _compose

        seen: set[str] = set()
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self._refuse(key_node, path, "a key must be a plain word")
                continue
            key = self._text(key_node, path)
            if key in seen:
                self._refuse(key_node, (*path, key), f"the key {key!r} is here twice")
                continue
            seen.add(key)
            self._document._keys[(*path, key)] = key_node
            yield key, value_node

    def _scalar(self, node: Node, path: KeyPath) -> Any:
        kind = str(node.tag).removeprefix("tag:yaml.org,2002:")
        text = str(node.value)
        try:
            if kind == "int":
                digits = text.replace("_", "")
                return int(digits, 0 if digits[:2].lower() in ("0x", "0o") else 10)
            if kind == "float":
                return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            self._refuse(node, path, f"{text[:40]!r} is not a number")
            return None
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        if kind.startswith("!"):
            self._refuse(node, path, f"the tag {kind} is not known; write a plain value")
        return self._text(node, path)

    def _text(self, node: Node, path: KeyPath) -> str:
        """Return a text whose characters are whole: JSON writes the rarer ones as two halves."""
        text = str(node.value)
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self._refuse(node, path, "the text holds half of a character; write it whole")
            return ""

    def _refuse(self, node: Node, path: KeyPath, message: str) -> None:
        self.problems.append(self._document.problem_at(_place(node), path, message))


def _place(node: Node) -> FilePlace:
    return FilePlace(node.start_mark.line + 1, node.start_mark.column + 1)
