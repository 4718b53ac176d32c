"""What other systems send to `POST /hooks/SYSTEM/TOKEN`: each system's payload becomes alerts or events.

What a hook says twice counts once. What is not understood is refused with the reason, never guessed.
"""
