#!/usr/bin/env python3
"""Django's own command line, for those who know it; ``pocketid`` is the one for operators."""

import sys

from pocketid.cli import manage

if __name__ == "__main__":
    sys.exit(manage(sys.argv))
