#!/usr/bin/env bash
# Registers HMS-OPS with the other HMS components.
register_component() { echo "registered $1"; }
for component in hms-dev; do register_component "$component"; done
