"""Tests of auria_bot.art.training.style."""
