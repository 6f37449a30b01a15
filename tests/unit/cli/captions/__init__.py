"""Tests of auria_bot.cli.captions."""
