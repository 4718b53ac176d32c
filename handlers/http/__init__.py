"""The HTTP way in: Slack's requests in HTTP mode, health and readiness.

Knows aiohttp and the services it is given; neither storage nor providers.
"""
