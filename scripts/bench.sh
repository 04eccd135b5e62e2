#!/usr/bin/env bash
# Measures bin/strowger beside Debian's Kamailio with rtpengine, under the same load in one run, and prints the tables.
# `QUICK=1 make bench` takes two minutes, all of it ten. More in scripts/bench/main.go; arguments go to that program.
# Where the machine has other work too, `RT=1 make bench` (as root) runs servers and load at real-time priority: what they cost is
# then right, and no packet is lost because somebody else was on.
# Installs the peers and SIPp where they are missing: that needs root, or sudo.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
need() { command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ] || missing+=("$2"); }
need kamailio kamailio
need rtpengine rtpengine-daemon
need sipp sip-tester
need taskset util-linux

if [ ${#missing[@]} -gt 0 ]; then
	echo "installing ${missing[*]}"
	sudo=""
	[ "$(id -u)" = 0 ] || sudo=sudo
	export DEBIAN_FRONTEND=noninteractive
	$sudo apt-get update -q >/dev/null
	$sudo apt-get install -qy --no-install-recommends "${missing[@]}" >/dev/null
	# Debian starts the daemons at once; the bench starts its own.
	if command -v systemctl >/dev/null; then
		$sudo systemctl disable --now kamailio rtpengine-daemon 2>/dev/null || true
	fi
fi
PATH=$PATH:/usr/sbin
ulimit -n "$(ulimit -Hn)"

go build -o bin/bench ./scripts/bench
quick=()
[ -z "${QUICK:-}" ] || quick=(-quick)
realtime=()
[ -z "${RT:-}" ] || realtime=(chrt -r 1)
"${realtime[@]}" bin/bench -strowger bin/strowger "${quick[@]}" "$@"

printf '\nTime and allocations per relayed packet, from the buffer of one socket to sendto on the other\n\n'
go test -run '^$' -bench '^Benchmark(Relay(SRTP|SRTPSHA1)?|TranscodeG722)$' -benchmem ./media | grep '^Benchmark'

printf '\nA phone with a thousand busy lamps: memory per lamp, and CPU time per NOTIFY with the phone'"'"'s own share\n\n'
go test -run '^$' -bench '^BenchmarkLamps$' ./sip | grep '^Benchmark'
