"""``python -m autolog_core.cli``: the console script where it is not on the PATH."""

from autolog_core.cli.main import main

main()
