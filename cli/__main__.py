"""`python -m cli`: the `octoflow` command without an installed script."""

from cli.main import main

main()
