"""Deterministic code only: the automation loop and its messages; nothing about trading lives here."""
