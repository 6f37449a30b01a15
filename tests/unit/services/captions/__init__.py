"""Tests of auria_bot.services.captions."""
