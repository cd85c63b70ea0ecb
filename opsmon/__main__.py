"""`python -m opsmon` is `opsmon`."""

from __future__ import annotations

import sys

from opsmon.cli.main import main

sys.exit(main())
