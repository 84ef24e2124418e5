"""`python -m antema` is `antema`."""

import sys

from antema.cli import main

if __name__ == "__main__":
    sys.exit(main())
