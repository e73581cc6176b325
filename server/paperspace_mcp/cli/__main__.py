"""`python -m paperspace_mcp.cli`, for where the console script is not on the path."""

import sys

from paperspace_mcp.cli import main

sys.exit(main())
