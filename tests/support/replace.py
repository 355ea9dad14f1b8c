"""Run as a script: becomes another Python, which finds packages in a folder before all others."""

from __future__ import annotations

import os
import sys

folder, *command = sys.argv[1:]
os.chdir(folder)
os.environ["PYTHONPATH"] = folder
os.execv(sys.executable, [sys.executable, *command])
