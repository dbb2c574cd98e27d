"""Loading of typed YAML configuration: unknown keys are refused, errors name file, line and key."""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from features.contracts.errors import ConfigError


class Config(BaseModel):
    """Base of every configuration model: frozen, unknown keys refused, values documented by ``Field``."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


ConfigT = TypeVar("ConfigT", bound=Config)


def load_config(model: type[ConfigT], path: Path, *, optional: bool = False) -> ConfigT:
    """Read ``path`` as ``model``. With ``optional`` a missing file means the defaults.

    Raises :class:`ConfigError` that names the file, the line and the key of the first problem.
    """
    if optional and not path.exists():
        return model()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such configuration file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    return parse_config(model, text, str(path))


def parse_config(model: type[ConfigT], text: str, name: str) -> ConfigT:
    """Parse YAML ``text`` as ``model``; ``name`` stands for the file in messages."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}: not valid YAML: {error}") from error
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise ConfigError(f"{name}: expected keys and values at the top level, found {type(data).__name__}")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ConfigError(_describe(error, root, name)) from error


def _describe(error: ValidationError, root: yaml.Node | None, name: str) -> str:
    lines = []
    for problem in error.errors():
        location = problem["loc"]
        line = _line_of(root, location)
        key = ".".join(str(part) for part in location) or "(top level)"
        lines.append(f"{name}:{line}: {key}: {problem['msg']}")
    return "\n".join(lines)


def _line_of(root: yaml.Node | None, location: tuple[Any, ...]) -> int:
    """The line of the deepest part of ``location`` that stands in the file."""
    node, line = root, 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line
