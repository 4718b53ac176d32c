#!/usr/bin/env bash
# HMS-DEV calls this when a ticket is ready.
hms_dev_deploy() { "$(dirname "$0")/../hms-ops.sh" deploy k8s "$1" staging; }
hms_dev_deploy "$@"
