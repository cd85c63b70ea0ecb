"""Entry point of `python -m opsmon`; the same as the command `opsmon`."""

from __future__ import annotations

import sys

from opsmon.cli.main import main

sys.exit(main())
