#!/usr/bin/env bash
# Makes the calls between real parties. The parties are programs of others that stumble when the machine is
# busy (and some by themselves), so up to three that fail are tried once more, alone, and named. A fault of ours
# that comes and goes would pass so: a name that appears again is to be looked into, not to be waited out.
set -uo pipefail
cd "$(dirname "$0")/.."
export STROWGER_BIN="$PWD/bin/strowger"
log=$(mktemp)
trap 'rm -f "$log"' EXIT

run() { go test -count=1 -timeout 40m "$@" ./cmd/strowger/e2e/...; }

run 2>&1 | tee "$log" && exit
failed=$(sed -n 's/^--- FAIL: \([A-Za-z0-9_]*\) .*/\1/p' "$log" | sort -u | paste -sd'|')
count=$(tr '|' '\n' <<<"$failed" | grep -c .)
if [ "$count" -eq 0 ] || [ "$count" -gt 3 ]; then
	exit 1
fi
echo "once more: ${failed//|/ }"
run -run "^($failed)\$"
