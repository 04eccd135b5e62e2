package media

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"strowger/media/codec"
	"strowger/media/mediatest"
)

// at8k is speech at 8 kHz; speed raises its pitch with its pace, as that of a smaller head.
func at8k(samples []int16, rate int, speed float64) []int16 {
	if rate == 16000 {
		var down codec.Downsampler
		samples, rate = down.Convert(make([]int16, len(samples)/2), samples), 8000
	}
	step := speed * float64(rate) / 8000
	out := make([]int16, 0, int(float64(len(samples))/step)+1)
	for at := 0.0; int(at)+1 < len(samples); at += step {
		i, part := int(at), at-float64(int(at))
		out = append(out, int16(float64(samples[i])*(1-part)+float64(samples[i+1])*part))
	}
	return out
}

// hits reports what is taken for keys in speech, in voices from low to high, and how much of it there was.
func hits(t *testing.T, name string, samples []int16, rate int) (length time.Duration) {
	for _, speed := range []float64{0.8, 0.9, 1, 1.1, 1.25, 1.4} {
		voice := at8k(samples, rate, speed)
		length += time.Duration(len(voice)) * time.Second / 8000
		if keys, _ := detect(voice); keys != "" {
			t.Errorf("%s at %v: heard %q", name, speed, keys)
		}
	}
	return length
}

// TestTalkOffPrompts: no key is heard in the voice of the prompts.
func TestTalkOffPrompts(t *testing.T) {
	files, err := filepath.Glob("../configs/prompts/en/*.opus")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d prompts, %v", len(files), err)
	}
	length := time.Duration(0)
	for _, f := range files {
		clip, err := ReadClipFile(f)
		if err != nil {
			t.Fatal(err)
		}
		length += hits(t, filepath.Base(f), clip.Samples, clip.Rate)
	}
	t.Logf("no key in %v", length.Round(time.Second))
}

// talkOff has every vowel, in stressed and unstressed syllables, and the numbers that are said at telephones.
const talkOff = `Good morning, this is the order desk, how may I help you? I would like to know whether my parcel has left yet. The number is
four oh seven, double nine, three two six eight one five. Could you spell your name for me please? Yes, it is Ursula Hughes-Whitmore,
U R S U L A. We moved to eighty-one Eagle Avenue at Easter. Who do you need to see? I see, you owe me two or three euros, don't you?
Hello? Are you there? I am in a tunnel, I will call you back in a few minutes. Oh, I hear you now. We were away all year.`

// TestTalkOffSpeech: nor in other voices, made by espeak-ng where it is installed.
func TestTalkOffSpeech(t *testing.T) {
	if _, err := exec.LookPath("espeak-ng"); err != nil {
		t.Log("espeak-ng is not installed: only the prompts, and speech made of formants, were listened to")
		return
	}
	length := time.Duration(0)
	for _, voice := range []string{"en-us+m1", "en-gb+m3", "en-us+f2", "en-gb+f4", "de+f1", "fr+m2", "it+f3", "fi+m4"} {
		for _, pitch := range []int{20, 50, 85} {
			file := filepath.Join(t.TempDir(), "v.wav")
			if out, err := exec.Command("espeak-ng", "-v", voice, "-p", strconv.Itoa(pitch), "-w", file, talkOff).CombinedOutput(); err != nil {
				t.Fatalf("espeak-ng -v %s: %v: %s", voice, err, strings.TrimSpace(string(out)))
			}
			samples, rate, err := mediatest.ReadWAV(file)
			if err != nil {
				t.Fatal(err)
			}
			length += hits(t, voice, samples, rate)
		}
	}
	t.Logf("no key in %v", length.Round(time.Second))
}
