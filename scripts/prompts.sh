#!/usr/bin/env bash
# Makes the spoken prompts from their texts: configs/prompts/LANG/texts.txt ("name: text" a line) → NAME.wav, 16 kHz mono.
# Needs Debian's flite and sox. The WAV files are committed, so this runs only when a text changes.
set -euo pipefail
cd "$(dirname "$0")/../configs/prompts"
for texts in */texts.txt; do
	folder=$(dirname "$texts")
	while IFS=: read -r name text; do
		[ -n "$name" ] || continue
		raw=$(mktemp --suffix=.wav)
		flite -voice slt -t "$text" -o "$raw"
		sox "$raw" -r 16000 -c 1 -b 16 "$folder/$name.wav" norm -6 pad 0.1 0.2
		rm -f "$raw"
		echo "$folder/$name.wav"
	done <"$texts"
done
