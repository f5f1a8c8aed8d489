"""`python -m nectar_notebooks`: the `nectar` command, even if its script is not on the PATH."""

import sys

from nectar_notebooks.cli import main

sys.exit(main())
