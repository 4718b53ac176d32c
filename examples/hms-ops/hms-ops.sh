#!/usr/bin/env bash
# HMS-OPS: deploys by Forge, ECS and Kubernetes. Replaced by HMS-SYS.
set -u
HERE="$(cd "$(dirname "$0")" && pwd)"
CONFIG="$HERE/.hms-ops-config.json"

log_message() { echo "[$(date '+%Y-%m-%d %H:%M:%S')] [$1] $2" | tee -a "$HERE/logs/deployments.log"; }
load_config() { [ -r "$CONFIG" ] || { echo "no configuration" >&2; exit 2; }; }

deploy_forge() { log_message INFO "Deploying $2 to $3 via forge"; php "$HERE/forge-api.php" deploy "$2" "$3"; }
deploy_ecs() { log_message INFO "Deploying $2 to $3 via ecs"; }
deploy_k8s() { log_message INFO "Deploying $2 to $3 via k8s"; }

check_status() { load_config; echo "${1:-all} ${2:-}: ok"; }
start_monitor() { echo "monitor started"; }
stop_monitor() { echo "monitor stopped"; }
show_errors() { tail -n "${1:-10}" "$HERE/logs/errors.log"; }
show_logs() { tail -n 50 "$HERE/logs/deployments.log"; }
send_slack_notification() { :; }
usage() { echo "usage: hms-ops.sh deploy|status|monitor|errors|logs|help"; }

case "${1:-help}" in
  deploy)
    case "${2:-}" in
      forge) deploy_forge "$@" ;;
      aws|ecs) deploy_ecs "$@" ;;
      k8s) deploy_k8s "$@" ;;
      *) usage; exit 1 ;;
    esac ;;
  status) shift; check_status "$@" ;;
  monitor) [ "${2:-}" = start ] && start_monitor || stop_monitor ;;
  errors) show_errors "${2:-10}" ;;
  logs) show_logs ;;
  help) usage ;;
  *) usage; exit 1 ;;
esac
