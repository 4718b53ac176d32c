"""The HTTP way in: Slack in HTTP mode, the API for components, hooks of other systems, health and metrics.

Knows aiohttp and the services it is given; neither storage nor providers. Every request goes through
`boundary`; a route of the API is a `Route`.
"""
