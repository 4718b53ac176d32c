"""Programs that use HMS-SYS from outside: each stands alone and imports nothing of it."""
