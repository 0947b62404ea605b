"""Rules of the house that no linter knows; `python -m tests.architecture` checks them."""
