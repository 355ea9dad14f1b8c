"""A page with one room, whose server prints what it has measured, as lines of JSON."""

from opentelemetry.metrics import set_meter_provider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, PeriodicExportingMetricReader
from shiny import App, Inputs, Outputs, Session, ui

from shiny_labchat import Chat, chat_ui

PRINTED_EVERY = 300
"""In milliseconds."""

printing = ConsoleMetricExporter(formatter=lambda data: data.to_json(indent=None) + "\n")
set_meter_provider(MeterProvider([PeriodicExportingMetricReader(printing, PRINTED_EVERY)]))


def server(input: Inputs, output: Outputs, session: Session) -> None:
    Chat("chat", room="page", study="tests")


app = App(ui.page_fillable(chat_ui("chat")), server)
