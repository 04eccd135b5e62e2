#!/usr/bin/env bash
# Makes the spoken prompts from their texts: configs/prompts/LANG/texts.txt ("NAME: TEXT" a line, # comments) → NAME.opus,
# 16 kHz mono, Opus at 16 kbit/s in Ogg. Each file holds its text as a comment: one whose text has not changed is left alone.
# Needs Debian's flite (or espeak-ng for other languages), sox and opus-tools. The files are committed, so that this runs
# only when a text changes.
#
# Why flite's slt for English: `scripts/prompts.sh compare` lets a recogniser (Debian's pocketsphinx) write down what it
# hears of each voice. It understood 83 % of the words of slt, 86 % of rms, 83 % of kal16, 71 % of awb and 19 % of espeak-ng's
# en-us; slt and rms differ by less than the measurement can tell, and slt has been the voice so far.
set -euo pipefail
cd "$(dirname "$0")/../configs/prompts"

# speak VOICE TEXT FILE: a WAV as the voice makes it.
speak() {
	case $1 in
	espeak-*) espeak-ng -v "${1#espeak-}" -s 155 -w "$3" "$2" ;;
	*) flite -voice "$1" -t "$2" -o "$3" ;;
	esac
}

# make VOICE TEXT FILE: the vowels of every prompt are equally loud (-16 dBFS, peaks below -3), silence at the ends is
# trimmed to what words need between them, and sentences to what they need.
make() {
	local raw level gain tail=0.04
	raw=$(mktemp -d)
	speak "$1" "$2" "$raw/1.wav"
	case $2 in *.) [ "${#2}" -gt 5 ] && tail=0.25 ;; esac
	sox "$raw/1.wav" -r 16000 -c 1 -b 16 "$raw/2.wav" silence 1 0.01 0.3% reverse silence 1 0.01 0.3% reverse
	level=$(sox "$raw/2.wav" -n stats 2>&1 | awk '/^RMS Pk dB/ {rms = $4} /^Pk lev dB/ {peak = $4} END {print rms, peak}')
	gain=$(awk '{g = -16 - $1; if (g > -3 - $2) g = -3 - $2; print g}' <<<"$level")
	sox "$raw/2.wav" -b 16 "$raw/3.wav" gain "$gain" fade 0.005 0 0.01 pad 0.03 "$tail"
	opusenc --quiet --bitrate 16 --framesize 20 --comp 10 --speech --discard-comments --padding 0 --serial 1 --comment "TEXT=[$2]" \
		"$raw/3.wav" "$3"
	rm -r "$raw"
}

# compare prints, for each voice, the share of words that a recogniser understands of the English sentences.
compare() {
	local dir voice text right all
	dir=$(mktemp -d)
	for voice in slt rms awb kal16 espeak-en-us espeak-en-gb; do
		right=0 all=0
		while IFS=: read -r _ text; do
			speak "$voice" "$text" "$dir/1.wav"
			sox "$dir/1.wav" -r 16000 -c 1 -b 16 "$dir/2.wav" pad 0.3 0.3
			pocketsphinx_continuous -infile "$dir/2.wav" 2>/dev/null >"$dir/heard" || true
			read -r r a < <(awk '
				{gsub(/[^a-zA-Z0-9 ]/, ""); $0 = tolower($0)}
				NR == FNR {for (i = 1; i <= NF; i++) heard[$i]++; next}
				{for (i = 1; i <= NF; i++) {all++; if (heard[$i]-- > 0) right++}}
				END {print right + 0, all + 0}' "$dir/heard" <(echo "$text"))
			right=$((right + r)) all=$((all + a))
		done < <(grep -E '^[a-z].*: [^0-9]{40,}$' en/texts.txt | head -40)
		echo "$voice: $((100 * right / all)) % of $all words understood"
	done
	rm -r "$dir"
}

[ "${1:-}" != compare ] || { compare; exit; }

for texts in */texts.txt; do
	folder=$(dirname "$texts")
	voice=slt
	[ "$folder" = en ] || voice=espeak-$folder
	while IFS=: read -r name text; do
		case $name in '' | '#'*) continue ;; esac
		text=${text# }
		if ! grep -qsaF "TEXT=[$text]" "$folder/$name.opus"; then
			make "$voice" "$text" "$folder/$name.opus"
			echo "$folder/$name.opus"
		fi
	done <"$texts"
done

# The beep is the same in all languages.
if [ ! -f en/beep.opus ]; then
	tone=$(mktemp --suffix=.wav)
	sox -n -r 16000 -c 1 -b 16 "$tone" synth 0.35 sine 1000 gain -15 fade 0.01 0 0.01 pad 0.05 0.05
	opusenc --quiet --bitrate 16 --discard-comments --padding 0 --serial 1 "$tone" en/beep.opus
	rm "$tone"
fi
