"""Tests of opsmon/."""
