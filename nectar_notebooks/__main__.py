"""`python -m nectar_notebooks`: the `nectar` command where its script is not on the path."""

import sys

from nectar_notebooks.cli import main

sys.exit(main())
