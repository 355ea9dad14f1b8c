"""The command `labchat`."""

from __future__ import annotations

import click

from shiny_labchat.cli.backups import backup, restore
from shiny_labchat.cli.checking import check
from shiny_labchat.cli.demo import demo
from shiny_labchat.cli.doctor import doctor
from shiny_labchat.cli.ethics import ethics
from shiny_labchat.cli.export import export_command
from shiny_labchat.cli.importing import import_command
from shiny_labchat.cli.links import links
from shiny_labchat.cli.moving import move
from shiny_labchat.cli.people import ends, find, pay
from shiny_labchat.cli.report import report
from shiny_labchat.cli.studies import study
from shiny_labchat.cli.withdrawing import retain, withdraw

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="shiny-labchat", prog_name="labchat")
def main() -> None:
    """Group chat for Shiny for Python, made for people who study people."""


_COMMANDS = (
    *(backup, check, demo, doctor, ends, ethics, export_command, find, import_command, links),
    *(move, pay, report, restore, retain, study, withdraw),
)
for _command in _COMMANDS:
    main.add_command(_command)
