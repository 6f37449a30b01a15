"""Tests of auria_bot.serving."""
