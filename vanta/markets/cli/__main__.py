"""`python -m vanta.markets.cli`: how the daemon starts its collectors."""

import sys

from vanta.common.cli import main
from vanta.markets.cli import app

if __name__ == "__main__":
    sys.exit(main(app, program="vanta markets"))
