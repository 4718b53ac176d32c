"""The ways in: Slack, the command line and HTTP.

Each handler parses, calls one operation and presents the answer; rules live in `operations`.
Handlers receive services and never import providers, storage or `bot`. Only `bot` imports this package.
"""
