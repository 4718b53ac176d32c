"""The outside world behind operations' ports: one module or package per vendor.

Vendors' SDKs live here and nowhere else, and are imported where they are used, never at start-up.
Each adapter translates errors at its own door and keeps the vendor's exception as the cause.
Only `bot` imports this package.
"""
