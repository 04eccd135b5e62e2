#!/usr/bin/env bash
# Installs what the tests need: the real parties of the end-to-end calls (SIPp, baresip,
# linphone, Chromium), the browser driver and the WebSocket phones of others (JsSIP, SIP.js).
# Does nothing where all is there. Needs root, or sudo, when Debian packages are missing.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
need() { command -v "$1" >/dev/null || missing+=("$2"); }
need sipp sip-tester
need baresip baresip-core
need linphonec linphone-cli
need chromium chromium
need ip iproute2
need nft nftables
need opusdec opus-tools
[[ $(/sbin/ldconfig -p) == *libopus.so.0* ]] || missing+=(libopus0)

if [ ${#missing[@]} -gt 0 ]; then
	echo "installing ${missing[*]}"
	sudo=""
	[ "$(id -u)" = 0 ] || sudo=sudo
	export DEBIAN_FRONTEND=noninteractive
	$sudo apt-get update -q >/dev/null
	$sudo apt-get install -qy --no-install-recommends "${missing[@]}" >/dev/null
fi

driver=cmd/strowger/e2e/browser
if [ ! $driver/node_modules/.package-lock.json -nt $driver/package-lock.json ]; then
	(cd $driver && npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.package-lock.json)
fi
