"""Tests of `bot`: settings, configuration, logging, and the files that a container is made of."""
