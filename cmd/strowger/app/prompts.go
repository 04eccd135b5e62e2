package app

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"strowger/configs"
	"strowger/media"
	"strowger/sip/call/spoken"
)

// defaultLanguage has every prompt.
const defaultLanguage = "en"

// prompts finds the files of prompts by their names. An administrator's own come first: LANG/NAME.wav and NAME.wav in the
// data folder's prompts; then the program's, which are unpacked when they are first asked for; then the English ones.
type prompts struct {
	own      string // folder of the administrator's
	made     string // folder of those that were unpacked from this program
	language string

	unpacking sync.Mutex
}

// newPrompts prepares the folders in the data folder. What another version of the program unpacked is removed.
func newPrompts(data, language string) (*prompts, error) {
	if language == "" {
		language = defaultLanguage
	}
	if !filepath.IsLocal(language) || strings.ContainsAny(language, `/\`) {
		return nil, fmt.Errorf("language %q is no name of a folder of prompts: use one such as en (calls.language)", language)
	}
	version, err := promptsVersion()
	if err != nil {
		return nil, err
	}
	p := &prompts{own: filepath.Join(data, "prompts"), language: language}
	base := filepath.Join(data, "speech", "prompts")
	p.made = filepath.Join(base, version)
	if err := os.MkdirAll(p.own, 0o700); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(p.made, 0o700); err != nil {
		return nil, err
	}
	old, err := os.ReadDir(base)
	if err != nil {
		return nil, err
	}
	for _, o := range old {
		if o.Name() != version {
			if err := os.RemoveAll(filepath.Join(base, o.Name())); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

// grammar is how the language says numbers and times; English for a language without one.
func (p *prompts) grammar() spoken.Language {
	l, _ := spoken.For(p.language)
	return l
}

// promptsVersion names the content of the program's prompts.
func promptsVersion() (string, error) {
	sum := sha256.New()
	err := fs.WalkDir(configs.Prompts, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := configs.Prompts.ReadFile(name)
		fmt.Fprintln(sum, name, len(b))
		sum.Write(b)
		return err
	})
	return fmt.Sprintf("%x", sum.Sum(nil)[:8]), err
}

// file is the path of a prompt's WAV file, "" with an error when there is none.
func (p *prompts) file(name string) (string, error) {
	name = strings.TrimSuffix(name, ".wav")
	if !filepath.IsLocal(name) || len(name) > 200 {
		return "", fmt.Errorf("%q is no name of a prompt", name)
	}
	if own := p.ownFile(name); own != "" {
		return own, nil
	}
	for _, language := range []string{p.language, defaultLanguage} {
		if made, err := p.unpack(language, name); made != "" || err != nil {
			return made, err
		}
	}
	return "", fmt.Errorf("there is no prompt %q", name)
}

// ownFile is the administrator's file of a prompt, "" when there is none.
func (p *prompts) ownFile(name string) string {
	for _, folder := range []string{p.language, "."} {
		path := filepath.Join(p.own, folder, name+".wav")
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
	}
	return ""
}

// unpack is the file of a prompt of the program's, "" when it has none of this name.
func (p *prompts) unpack(language, name string) (string, error) {
	from := path.Join("prompts", language, filepath.ToSlash(name))
	to := filepath.Join(p.made, language, name+".wav")
	p.unpacking.Lock()
	defer p.unpacking.Unlock()
	if _, err := os.Stat(to); err == nil {
		return to, nil
	}
	b, err := configs.Prompts.ReadFile(from + ".opus")
	if err != nil {
		if b, err = configs.Prompts.ReadFile(from + ".wav"); err != nil {
			return "", nil // no such prompt
		}
	}
	c, err := media.ReadClip(bytes.NewReader(b), 0)
	if err != nil {
		return "", fmt.Errorf("the program's prompt %s: %w", from, err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return "", fmt.Errorf("unpack a prompt: %w", err)
	}
	if err := c.Write(to); err != nil {
		return "", fmt.Errorf("unpack a prompt: %w", err)
	}
	return to, nil
}

// builtIn is a prompt of the program's in English, as WAV.
func builtIn(name string) ([]byte, error) {
	b, err := configs.Prompts.ReadFile(path.Join("prompts", defaultLanguage, name+".opus"))
	if err != nil {
		return nil, err
	}
	c, err := media.ReadClip(bytes.NewReader(b), 0)
	return c.WAV(), err
}
