package app

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"strowger/configs"
	"strowger/sip/call/spoken"
)

// promptTexts are the names and texts of the English prompts.
func promptTexts(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "configs", "prompts", "en", "texts.txt"))
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for line := range strings.Lines(string(b)) {
		if name, text, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && !strings.HasPrefix(name, "#") {
			texts[name] = text
		}
	}
	return texts
}

func TestEveryPromptIsSpoken(t *testing.T) {
	texts := promptTexts(t)
	if len(texts) < 300 {
		t.Fatalf("%d texts", len(texts))
	}
	for name, text := range texts {
		b, err := configs.Prompts.ReadFile("prompts/en/" + name + ".opus")
		if err != nil {
			t.Errorf("%s is not spoken: run scripts/prompts.sh", name)
		} else if !strings.Contains(string(b), "TEXT=["+text+"]") {
			t.Errorf("%s says something else than its text: run scripts/prompts.sh", name)
		}
	}
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	var said []string
	for i := range 400 {
		at := now.Add(-time.Duration(i)*25*time.Hour - time.Duration(i)*time.Minute)
		said = append(said, spoken.English{}.Day(at, now)...)
		said = append(said, spoken.English{}.Clock(at)...)
		said = append(said, spoken.English{}.Number(i*i*i-10)...)
		said = append(said, spoken.English{}.Length(time.Duration(i*20)*time.Second)...)
	}
	for _, name := range append(said, spoken.Digits("+0123456789*#")...) {
		if texts[name] == "" {
			t.Errorf("%s is said, but there is no such prompt", name)
		}
	}
}

func TestOwnPromptsComeFirst(t *testing.T) {
	dir := t.TempDir()
	stale := filepath.Join(dir, "speech", "prompts", "of-an-older-program", "en")
	if err := os.MkdirAll(stale, 0o700); err != nil {
		t.Fatal(err)
	}
	p, err := newPrompts(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(stale); err == nil {
		t.Error("what an older program unpacked is still there")
	}
	built, err := p.file("goodbye")
	if err != nil || !strings.HasPrefix(built, p.made) {
		t.Errorf("%q, %v", built, err)
	}
	own := filepath.Join(dir, "prompts", "goodbye.wav")
	if err := os.WriteFile(own, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := p.file("goodbye"); got != own || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := p.file("no-such-prompt"); got != "" || err == nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := newPrompts(dir, "../x"); err == nil {
		t.Error("a language leads out of the folder")
	}
}

// Every recording that the program asks for by name in its code is there.
func TestNamedPromptsAreThere(t *testing.T) {
	texts := promptTexts(t)
	texts["beep"], texts["music-on-hold"] = "a tone", "music"
	named := regexp.MustCompile(`(?:script\.|\b)Prompt\{(?:Name: )?"([a-z0-9-]+)"|"((?:vm|conf|park|rec|dnd|forward|transfer|voicemail)-[a-z-]+)"`)
	found := 0
	for _, folder := range []string{"../../../sip/call/script", "../../../sip/call/script/mailbox", "."} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil || strings.HasSuffix(f, "_test.go") {
				continue
			}
			for _, m := range named.FindAllStringSubmatch(string(b), -1) {
				name := m[1] + m[2]
				found++
				if texts[name] == "" {
					t.Errorf("%s asks for the prompt %q, which nobody speaks: add it to configs/prompts/en/texts.txt", f, name)
				}
			}
		}
	}
	if found < 60 {
		t.Errorf("only %d names found", found)
	}
}
