"""The ids that exchanges have in ccxt, known without importing it."""

from __future__ import annotations

from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path


@cache
def known_exchange_ids() -> frozenset[str]:
    """Return the id of every exchange that the installed ccxt has; empty without ccxt.

    Importing ccxt takes half a second and 90 MB; its exchanges are modules named by their ids.
    """
    spec = PathFinder.find_spec("ccxt")
    folders = spec.submodule_search_locations if spec is not None else None
    modules = (Path(folder) / "async_support" for folder in folders or ())
    return frozenset(path.stem for folder in modules for path in folder.glob("[a-z]*.py"))
