"""What the product knows: rules, states and services.

Imports nothing of the other rooms and no vendor's library: the standard library and pydantic only.
The outside world is met through the Protocols that stand beside the service that needs them.
Everybody may import this package.
"""
