"""Whether requests are traced, and by what. OpenTelemetry is loaded here when it is asked for, and nowhere else."""

import os
import re
from importlib import import_module
from typing import TYPE_CHECKING, Final

from features.contracts.errors import ConfigError, MissingExtraError
from serving.config import TracingConfig

if TYPE_CHECKING:
    from serving.api.spans import RequestTracer

# Named by the OpenTelemetry specification (OTLP exporter; SDK environment variables).
_TRACES: Final = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
_ALL: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
_DISABLED: Final = "OTEL_SDK_DISABLED"


def collector_of(config: TracingConfig) -> str | None:
    """Where traces go: the configured address, else that of the environment; None: nowhere.

    Raises :class:`ConfigError` for a variable that holds no address.
    """
    if os.environ.get(_DISABLED, "").strip().lower() == "true":
        return None
    if config.endpoint is not None:
        return _below(config.endpoint)
    for variable in (_TRACES, _ALL):
        address = os.environ.get(variable, "").strip()
        if address and not re.match(r"https?://[^/\s]", address):
            raise ConfigError(f"{variable}='{address}' is no address such as http://localhost:4318")
        if address:
            return address if variable == _TRACES else _below(address)
    return None


def tracer_of(config: TracingConfig) -> "RequestTracer | None":
    """What traces the requests of one application; None where nothing is configured.

    Raises :class:`ConfigError` for an address that is none, :class:`MissingExtraError` without the extra ``otel``.
    """
    collector = collector_of(config)
    if collector is None:
        return None
    try:
        spans = import_module("serving.api.spans")
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"traces are to go to {collector}, and what sends them is not installed: pip install mallard[otel]"
        ) from error
    made: RequestTracer = spans.RequestTracer(collector, config.sample)
    return made


def _below(base: str) -> str:
    return f"{base.rstrip('/')}/v1/traces"
