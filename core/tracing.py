"""Traces of OpenTelemetry: what one request does, through all layers and processes, as one tree of spans.

Off unless `start` was called; then every place that could open a span costs a comparison, and nothing is imported. Spans begin at the HTTP
front end, or with a workflow that no caller waits for. Messages and statements only join a running trace: background work of the engine has
none. Between processes a trace travels as a W3C `traceparent`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

from .. import __version__
from .errors import Misconfigured, VelellaError
from .kept import kept

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, Tracer

R = TypeVar("R")

EXPORT_SECONDS = 5.0
"""Seconds the collector may take for one batch: a collector that doesn't answer costs traces, never requests."""

_tracer: Tracer | None = None
_provider: TracerProvider | None = None
_NOTHING: AbstractContextManager[None] = nullcontext()
_HEX = re.compile(r"[0-9a-f]{32}")
_VERB = re.compile(r"(?<!FOR )\b(INSERT|UPDATE|DELETE)\b", re.IGNORECASE)
_TABLE = re.compile(r'\b(?:FROM|INTO|UPDATE)\s+"?(\w+)', re.IGNORECASE)


def is_on() -> bool:
    return _tracer is not None


def start(endpoint: str, share: float, instance: str, exporter: SpanExporter | None = None) -> None:
    """Trace this process, and send spans to the collector at `endpoint` by OTLP over HTTP; or give them to `exporter`, at once.

    `share` (0 to 1) of the traces that begin here are recorded; traces from elsewhere are recorded if their sender records them. The
    standard `OTEL_…` variables of exporter, resource and limits apply, too. Raises Misconfigured where OpenTelemetry isn't installed.
    """
    global _tracer, _provider
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
    except ImportError as error:
        raise Misconfigured(f"Traces need OpenTelemetry: {error}.", hint="pip install 'velella[otel]'") from error
    resource = Resource.create({"service.name": "velella", "service.version": __version__, "service.instance.id": instance})
    _provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(share)), resource=resource.merge(OTELResourceDetector().detect()))
    if exporter is not None:
        _provider.add_span_processor(SimpleSpanProcessor(exporter))
    else:
        url = endpoint if endpoint.rstrip("/").endswith("/v1/traces") else f"{endpoint.rstrip('/')}/v1/traces"
        _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(url, timeout=EXPORT_SECONDS)))
    _tracer = _provider.get_tracer("velella", __version__)


def stop() -> None:
    """Send the remaining spans and stop tracing. Takes up to `EXPORT_SECONDS` if the collector doesn't answer. May be repeated."""
    global _tracer, _provider
    provider, _provider, _tracer = _provider, None, None
    if provider is not None:
        provider.force_flush(int(EXPORT_SECONDS * 1000))
        provider.shutdown()


def traceparent() -> str | None:
    """The running span for outgoing calls, as a W3C header; None outside of any."""
    if _tracer is None:
        return None
    from opentelemetry.trace import get_current_span

    context = get_current_span().get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}" if context.is_valid else None


def trace_id() -> str | None:
    """The id of the running trace; None outside of any."""
    running = traceparent()
    return running.split("-")[1] if running is not None else None


def beginning_of(trace: str) -> str | None:
    """A parent for spans that continue a trace of which only the id was kept; None if the text isn't a trace id."""
    return f"00-{trace}-{secrets.token_hex(8)}-01" if _HEX.fullmatch(trace) and int(trace, 16) else None


def span(
    name: str, kind: str = "internal", *, parent: str | None = None, begins: bool = False, **attributes: Any
) -> AbstractContextManager[Span | None]:
    """A span around a block: below the running one, or below `parent` (a traceparent) that came from outside.

    Without either there is no span, unless it `begins` a trace. Kinds: internal, server, client. Attributes are written with _ for
    the dots of their names.
    """
    if _tracer is None:
        return _NOTHING
    return _span(_tracer, name, kind, parent, begins, attributes)


@contextmanager
def _span(tracer: Tracer, name: str, kind: str, parent: str | None, begins: bool, attributes: Mapping[str, Any]) -> Iterator[Span | None]:
    from opentelemetry.trace import SpanKind, Status, StatusCode, get_current_span
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    above: Context | None = TraceContextTextMapPropagator().extract({"traceparent": parent}) if parent is not None else None
    running = get_current_span(above)
    if not begins and (not running.get_span_context().is_valid or (parent is None and not running.is_recording())):
        yield None
        return
    with tracer.start_as_current_span(
        name,
        context=above,
        kind=SpanKind[kind.upper()],
        attributes={key.replace("_", "."): value for key, value in attributes.items() if value is not None},
        record_exception=False,
        set_status_on_exception=False,
    ) as made:
        try:
            yield made
        except BaseException as error:
            made.set_attribute("error.type", type(error).__name__)
            if not isinstance(error, VelellaError) or error.status >= 500:  # else it is the caller's error
                made.set_status(Status(StatusCode.ERROR, str(error)))
            raise


async def traced(work: Awaitable[R], name: str, kind: str = "internal", **options: Any) -> R:
    """`span` around an awaitable. Options are those of `span`."""
    with span(name, kind, **options):
        return await work


def answered(made: Span, status: int) -> None:
    """Note the status of the answer to an HTTP request."""
    from opentelemetry.trace import Status, StatusCode

    # full names: `span` would turn their underscores into dots
    made.set_attribute("http.response.status_code", status)
    if status >= 500:
        made.set_status(Status(StatusCode.ERROR))


@kept(4 * 1024 * 1024)
def statement_name(sql: str) -> str:
    """`SELECT product`: what a statement does, and to which table first."""
    verb = _VERB.search(sql)
    table = _TABLE.search(sql, verb.start() if verb is not None else 0)
    if verb is None:
        return f"SELECT {table[1]}" if table is not None else "SQL"
    return f"{verb[1].upper()} {table[1]}" if table is not None else verb[1].upper()
