package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"strowger/routing"
)

// RouteTestCmd runs case files: an organisation, calls, and the plans that are expected of them.
type RouteTestCmd struct {
	Files   []string `arg:"" name:"file" help:"Case files."`
	Verbose bool     `short:"v" help:"Name the cases that pass, too."`
}

// Help shows a case file.
func (c *RouteTestCmd) Help() string {
	return "A case file names an organisation, and calls with the plan that each must get: what \"strowger route explain --json\"\n" +
		"prints, as YAML. routing/testdata/cases of the source has many.\n\n" +
		"    org: organisation.yaml\n" +
		"    cases:\n" +
		"    - name: strangers meet a mailbox at night\n" +
		"      call: {kind: call, to: \"+12025550001\", from: \"+12025550999\", at: \"2026-11-20T23:00:00-05:00\"}\n" +
		"      state: {registered: {ann: [browser]}}\n" +
		"      expect: {...}"
}

// routeCases is a case file.
type routeCases struct {
	Org   string      `yaml:"org"` // relative to the case file
	Cases []routeCase `yaml:"cases"`
}

// routeCase is one case: expect is the whole output of explain --json.
type routeCase struct {
	Name string `yaml:"name"`
	Call struct {
		Kind string    `yaml:"kind"`
		To   string    `yaml:"to"`
		From string    `yaml:"from"`
		At   time.Time `yaml:"at"`
	} `yaml:"call"`
	State  routing.Live `yaml:"state"`
	Expect any          `yaml:"expect"`
}

// Run implements the command.
func (c *RouteTestCmd) Run(g *Globals) error {
	failed, total := 0, 0
	for _, file := range c.Files {
		cases, ix, err := readRouteCases(file)
		if err != nil {
			return err
		}
		for _, rc := range cases {
			total++
			diff, err := rc.diff(ix)
			switch {
			case err != nil:
				return fmt.Errorf("%s: case %q: %w", file, rc.Name, err)
			case diff != "":
				failed++
				fmt.Fprintf(g.Stdout, "FAIL %s: %s\n%s\n", file, rc.Name, diff)
			case c.Verbose:
				fmt.Fprintf(g.Stdout, "ok   %s: %s\n", file, rc.Name)
			}
		}
	}
	fmt.Fprintf(g.Stdout, "%d of %d cases pass\n", total-failed, total)
	if failed > 0 {
		return exitCode(1)
	}
	return nil
}

// readRouteCases reads a case file and the organisation that it names.
func readRouteCases(file string) ([]routeCase, *routing.Index, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	var f routeCases
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil {
		return nil, nil, fmt.Errorf("%s is no case file (strowger route test --help shows one): %w", file, err)
	}
	if f.Org == "" {
		return nil, nil, fmt.Errorf("%s: org is missing; name the organisation document, relative to this file", file)
	}
	org := f.Org
	if !filepath.IsAbs(org) {
		org = filepath.Join(filepath.Dir(file), org)
	}
	ix, err := loadIndex(org)
	return f.Cases, ix, err
}

// diff decides the case; empty when the plan is the expected one.
func (rc *routeCase) diff(ix *routing.Index) (string, error) {
	switch {
	case rc.Call.Kind != "" && rc.Call.Kind != routing.KindCall && rc.Call.Kind != routing.KindText:
		return "", fmt.Errorf("call.kind %q: write call or text", rc.Call.Kind)
	case rc.Call.To == "":
		return "", errors.New("call.to is missing")
	case rc.Call.At.IsZero():
		return "", errors.New(`call.at is missing; write a time like "2026-11-20T10:00:00-05:00"`)
	}
	req := routing.Request{Kind: rc.Call.Kind, To: rc.Call.To, From: rc.Call.From}
	plan := routing.Decide(req, ix.With(rc.State), rc.Call.At)
	want, err := sortedJSON(rc.Expect)
	if err != nil {
		return "", err
	}
	got, err := sortedJSON(plan)
	if err != nil || want == got {
		return "", err
	}
	return lineDiff(strings.Split(want, "\n"), strings.Split(got, "\n")), nil
}

// sortedJSON prints a value with its keys in order, so that equal values print equal.
func sortedJSON(v any) (string, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	var plain any
	if err := json.Unmarshal(raw, &plain); err != nil {
		return "", err
	}
	var b strings.Builder
	err = printJSON(&b, plain)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// diffContext is how many equal lines stand around a difference.
const diffContext = 3

// lineDiff shows what to take away from want (-) and to add (+) to get got, with some lines around.
func lineDiff(want, got []string) string {
	// longest[i][j] is the length of the longest common subsequence of want[i:] and got[j:].
	longest := make([][]int, len(want)+1)
	for i := range longest {
		longest[i] = make([]int, len(got)+1)
	}
	for i := len(want) - 1; i >= 0; i-- {
		for j := len(got) - 1; j >= 0; j-- {
			if want[i] == got[j] {
				longest[i][j] = longest[i+1][j+1] + 1
			} else {
				longest[i][j] = max(longest[i+1][j], longest[i][j+1])
			}
		}
	}
	var lines []string
	i, j := 0, 0
	for i < len(want) || j < len(got) {
		switch {
		case i < len(want) && j < len(got) && want[i] == got[j]:
			lines = append(lines, "  "+want[i])
			i, j = i+1, j+1
		case j == len(got) || i < len(want) && longest[i+1][j] >= longest[i][j+1]:
			lines = append(lines, "- "+want[i])
			i++
		default:
			lines = append(lines, "+ "+got[j])
			j++
		}
	}
	return around(lines)
}

// around keeps the lines near a difference, and puts … where others were.
func around(lines []string) string {
	near := make([]bool, len(lines))
	for i, line := range lines {
		if line[0] == ' ' {
			continue
		}
		for k := max(0, i-diffContext); k <= min(len(lines)-1, i+diffContext); k++ {
			near[k] = true
		}
	}
	var b strings.Builder
	skipping := false
	for i, line := range lines {
		if near[i] {
			fmt.Fprintf(&b, "    %s\n", line)
		} else if !skipping {
			b.WriteString("    …\n")
		}
		skipping = !near[i]
	}
	return b.String()
}
