"""What is wrong with a data set: any in the form of Psych-DS, or an export."""

from __future__ import annotations

from shiny_labchat.export.checks.finding import Finding
from shiny_labchat.export.checks.folder import check_folder

__all__ = ["Finding", "check_folder"]
