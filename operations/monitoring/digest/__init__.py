"""The daily summary: what happened in the day that ends when it is due, made once, told once.

Its numbers stay as they were made; how the errors and alerts that it names stand is read when it is shown.
"""
