"""What the annotations of a plugin say: the answers that it gives, and the answers that it scores."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import typing
from typing import Any, Callable, Literal

from .answer_batch import AnswerType
from .answers import Form, Unanswered, WithConfidence, WithProbabilities
from .conversion import is_union, type_hints
from .fields import JsonMark
from .metrics import JsonText, Prediction

SETUP_PARAMETERS = ("config", "assets")
"""Names of the parameters that receive the configuration and the assets."""


def answer_type(annotation: Any, owner: str) -> AnswerType:
    """The answers that a return annotation declares. ``Abstain`` and ``Failed`` in a union are left out.

    :raises TypeError: if it is no answer.
    """
    arms = typing.get_args(annotation) if is_union(annotation) else (annotation,)
    arms = tuple(arm for arm in arms if not (isinstance(arm, type) and issubclass(arm, Unanswered)))
    if len(arms) != 1:
        raise TypeError(f"{owner} returns {annotation!r}; write one type of answers, and `| Abstain` if some rows have none")
    origin, arguments = typing.get_origin(arms[0]), typing.get_args(arms[0])
    if origin is WithConfidence:
        return dataclasses.replace(answer_type(arguments[0], owner), has_confidence=True)
    if origin is WithProbabilities:
        inner = answer_type(arguments[0], owner)
        if inner.form is not Form.LABEL:
            raise TypeError(f"{owner} returns probabilities of {inner.form.value} answers; only labels have them")
        return dataclasses.replace(inner, has_probabilities=True)
    return AnswerType(_form(arms[0], owner))


def _form(annotation: Any, owner: str) -> Form:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        if any(isinstance(mark, JsonMark) for mark in arguments[1:]):
            return Form.JSON
        return _form(arguments[0], owner)
    if annotation is str or origin is Literal and all(isinstance(value, str) for value in arguments):
        return Form.LABEL
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return Form.LABEL
    if annotation in (int, float):
        return Form.NUMBER
    base = origin or annotation
    is_of_labels = bool(arguments) and _is_label(arguments[0], owner)
    if is_of_labels and (base in (list, tuple) or getattr(base, "__name__", "") == "Sequence"):
        return Form.RANKING
    if is_of_labels and base in (set, frozenset):
        return Form.LABEL_SET
    if base is dict or dataclasses.is_dataclass(annotation) or typing.is_typeddict(annotation):
        return Form.JSON
    raise TypeError(
        f"{owner} returns {annotation!r}, which is no answer; write str for a label, float for a number, list[str] for a ranking, "
        "set[str] for a set of labels, Json or a dataclass for a JSON value"
    )


def _is_label(annotation: Any, owner: str) -> bool:
    try:
        return _form(annotation, owner) is Form.LABEL
    except TypeError:
        return False


SCORED_FORMS: dict[Any, Form] = {
    str: Form.LABEL,
    Prediction: Form.LABEL,
    float: Form.NUMBER,
    list[str]: Form.RANKING,
    frozenset[str]: Form.LABEL_SET,
    JsonText: Form.JSON,
}
"""The answers that a metric can score."""


def scored_types(annotation: Any, owner: str) -> dict[Form, Any]:
    """The types of answers that an annotation of a metric declares, by their forms. ``None`` is left out.

    :raises TypeError: if a metric cannot score one of them.
    """
    arms = typing.get_args(annotation) if is_union(annotation) else (annotation,)
    types = {}
    for arm in arms:
        if arm is type(None):
            continue
        if arm not in SCORED_FORMS:
            raise TypeError(
                f"{owner} scores {arm!r}; write str, Prediction, float, list[str], frozenset[str] or JsonText, or a union of these"
            )
        types[SCORED_FORMS[arm]] = arm
    return types


@dataclasses.dataclass(frozen=True)
class Parameters:
    """The parameters of a function, without ``self``, and its annotations."""

    names: tuple[str, ...]
    """Names in their order."""
    hints: dict[str, Any]
    """Evaluated annotations, with ``return``."""

    @staticmethod
    def of_function(function: Callable[..., Any], *, is_method: bool) -> Parameters:
        """The parameters of a function or of an unbound method."""
        names = list(inspect.signature(function).parameters)
        return Parameters(tuple(names[1:] if is_method else names), type_hints(function))

    def annotation(self, name: str, owner: str) -> Any:
        """The annotation of a parameter or of ``return``.

        :raises TypeError: if there is none.
        """
        if name not in self.hints:
            where = "its return value" if name == "return" else f"the parameter `{name}`"
            raise TypeError(f"{owner} has no type for {where}; annotate it")
        return self.hints[name]
