package routing

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"strowger/store"
)

// caseFile is the format of `strowger route test`.
type caseFile struct {
	Org   string     `yaml:"org"`
	Cases []testCase `yaml:"cases"`
}

type testCase struct {
	Name string `yaml:"name"`
	Call struct {
		Kind string    `yaml:"kind"`
		To   string    `yaml:"to"`
		From string    `yaml:"from"`
		At   time.Time `yaml:"at"`
	} `yaml:"call"`
	State  Live `yaml:"state"`
	Expect any  `yaml:"expect"`
}

// TestCases decides every case below testdata and compares the whole plan, as JSON without regard to the order of keys.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("case files: %v, %v", files, err)
	}
	for _, file := range files {
		var f caseFile
		readYAML(t, file, &f)
		if f.Org == "" {
			continue // an organisation, not cases
		}
		ix := loadOrg(t, filepath.Join(filepath.Dir(file), f.Org))
		for _, c := range f.Cases {
			t.Run(filepath.Base(file)+"/"+c.Name, func(t *testing.T) {
				plan := Decide(Request{Kind: c.Call.Kind, To: c.Call.To, From: c.Call.From}, ix.With(c.State), c.Call.At)
				if diff := cmp.Diff(asJSON(t, c.Expect), asJSON(t, plan)); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			})
		}
	}
}

func readYAML(t testing.TB, file string, into any) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(raw, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// asJSON brings a value into the form that JSON gives it.
func asJSON(t testing.TB, v any) any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// loadOrg reads an organisation by its JSON names, which are those of the YAML document but for steps that are bare names.
func loadOrg(t testing.TB, file string) *Index {
	t.Helper()
	ix, err := NewIndex(readOrg(t, file))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return ix
}

func readOrg(t testing.TB, file string) store.Directory {
	t.Helper()
	var doc map[string]any
	readYAML(t, file, &doc)
	policies, _ := doc["policies"].(map[string]any)
	for _, p := range policies {
		steps := p.(map[string]any)["steps"].([]any)
		for i, s := range steps {
			if name, bare := s.(string); bare {
				steps[i] = map[string]any{"step": name}
			}
		}
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	var dir store.Directory
	if err := json.Unmarshal(raw, &dir); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return dir
}
