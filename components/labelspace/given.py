"""The settings that a program gives to a component: some may be outputs, known during the update alone."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Any, Generic, TypeVar

import pulumi

from labelspace.spec import Settings, SpecError, SpecPart, dump_with_secrets, validate
from labelspace.spec.late import block_of, is_output, is_secret, late_paths, with_stand_ins

Part = TypeVar("Part", bound=SpecPart)
Inner = TypeVar("Inner", bound=SpecPart)
T = TypeVar("T")


class Given(Generic[Part]):
    """Settings of one model.

    ``known``: the validated settings, with a stand-in for each value that is an output. Use it for fields
    that take no output; read the others by ``map``.
    """

    def __init__(
        self, values: Settings, known: Part, where: str = "", words: Mapping[str, str] | None = None
    ) -> None:
        self.values, self.known = values, known
        self._where, self._words = where, words or {}
        self._late = list(late_paths(values))

    @classmethod
    def parse(
        cls, model: type[Part], values: Mapping[str, Any], words: Mapping[str, str] | None = None
    ) -> Given[Part]:
        """Validate what is known of ``values``; raises ``SpecError``.

        ``words``: the caller's name of a field by its name in the spec, for messages.
        """
        given = _settled(values)
        try:
            return cls(given, validate(model, with_stand_ins(model, given)), words=words)
        except SpecError as error:
            raise SpecError([_in_words(problem, words or {}) for problem in error.problems]) from None

    @classmethod
    def of(cls, spec: Part) -> Given[Part]:
        """Settings of which every value is known."""
        return cls(_settled(dump_with_secrets(spec, defaults=False)), spec)

    def part(self, model: type[Inner], field: str, index: int | None = None) -> Given[Inner]:
        """The block of settings in ``field``, or its item ``index``; the block must be there."""
        known, values = getattr(self.known, field), self.values.get(field, {})
        if index is not None:
            known, values = known[index], values[index]
        assert isinstance(known, model)  # noqa: S101 - the type of a field by its name
        where = field if index is None else f"{field}.{index}"
        return Given(values if isinstance(values, dict) else {}, known, where, self._words)

    def value(self, field: str) -> Any:
        """One field as it was given, which may be an output."""
        return self.values.get(field, getattr(self.known, field))

    def map(self, use: Callable[[Part], T]) -> T | pulumi.Output[T]:
        """``use`` of the settings: at once, or as an output when any of these values is an output."""
        if not self._late:
            return use(self.known)
        return pulumi.Output.from_input(self.values).apply(lambda values: use(self._checked(values)))

    def _checked(self, values: Settings) -> Part:
        try:
            absent = [path for path in self._late if _at(values, path) is None]
            if absent:
                raise SpecError([f"{path}: the output has no value: leave it out" for path in absent])
            return validate(type(self.known), values, show=False)
        except SpecError as error:
            raise pulumi.RunError("\n".join(map(self._placed, error.problems))) from None

    def _placed(self, problem: str) -> str:
        field, _, text = problem.partition(": ")
        if self._where:
            problem = f"{self._where}: {text}" if field == "workspace" else f"{self._where}.{problem}"
        return _in_words(problem, self._words)

    def inputs(self) -> dict[str, Any]:
        """The settings as a component's inputs: its passwords and keys are secret.

        Outputs resolve when all settings are valid, so that nothing of the component is made before.
        """
        valid = pulumi.Output.from_input(self.map(lambda _: True)) if self._late else None
        found = _inputs(type(self.known), self.values, valid and pulumi.Output.unsecret(valid))
        return {camel_case(self._words.get(name, name)): value for name, value in found.items()}


def _in_words(problem: str, words: Mapping[str, str]) -> str:
    for name, word in words.items():
        problem = problem.replace(name, word)
    return problem


def _settled(value: Any) -> Any:
    """Blocks without what is None; outputs for what is awaited; integers for the engine's whole floats."""
    if isinstance(value, Mapping):
        return {key: _settled(one) for key, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [_settled(one) for one in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if inspect.isawaitable(value) and not is_output(value):
        return pulumi.Output.from_input(value)
    return value


def _at(values: Any, path: str) -> Any:
    for key in path.split("."):
        values = values[int(key)] if isinstance(values, list) else values[key]
    return values


def _inputs(model: Any, values: Settings, valid: pulumi.Output[bool] | None) -> dict[str, Any]:
    return {name: _input(model, name, value, valid) for name, value in values.items()}


def _block(model: Any, values: Settings, valid: pulumi.Output[bool] | None) -> dict[str, Any]:
    return {camel_case(name): value for name, value in _inputs(model, values, valid).items()}


def _input(model: Any, name: str, value: Any, valid: pulumi.Output[bool] | None) -> Any:
    """One input. A block that is a text is the URL of a database, with its password."""
    inner = block_of(model, name)
    if inner and isinstance(value, list):
        return [_block(inner, one, valid) for one in value]
    if inner and isinstance(value, dict):
        return _block(inner, value, valid)
    if is_output(value) and valid is not None:
        value = pulumi.Output.all(valid, value).apply(lambda pair: pair[1])
    return pulumi.Output.secret(value) if inner or is_secret(model, name) else value


def camel_case(name: str) -> str:
    """A field's name as it is written in Pulumi's state and in other languages."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def by_key(
    texts: dict[str, str] | pulumi.Output[dict[str, str]], keys: Iterable[str]
) -> dict[str, pulumi.Input[str]]:
    """Texts by key, where all of them may be one output; ``keys`` are known."""
    if isinstance(texts, dict):
        return {**texts}
    return {key: texts.apply(itemgetter(key)) for key in keys}
