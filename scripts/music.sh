#!/usr/bin/env bash
# Makes the music on hold: plucked chords, composed here and free to play → configs/prompts/en/music-on-hold.wav, 16 kHz mono.
# Needs Debian's sox. The WAV file is committed, so this runs only when the tune changes.
set -euo pipefail
cd "$(dirname "$0")/../configs/prompts/en"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
n=100
for chord in "C3 G3 E4 C4" "A2 E3 C4 A3" "F2 C3 A3 F3" "G2 D3 B3 G3"; do
	for _ in 1 2; do
		for note in $chord; do
			n=$((n + 1))
			sox -R -n -r 16000 -c 1 -b 16 "$folder/$n.wav" synth 0.5 pluck "$note" fade t 0.005 0.5 0.15
		done
	done
done
sox -R "$folder"/*.wav -r 16000 -c 1 -b 16 music-on-hold.wav lowpass 3000 norm -12
ls -l music-on-hold.wav
