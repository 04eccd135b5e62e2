package call

import (
	"slices"
	"testing"
)

// TestOfferTo: what the caller has comes first; what it can be turned into comes after it.
func TestOfferTo(t *testing.T) {
	type list = []string
	for _, c := range []struct {
		name                        string
		offered, committed, allowed list
		opus                        bool
		want                        list
	}{
		{"delayed offer", nil, nil, list{"PCMA"}, true, list{"PCMA"}},
		{"shared", list{"opus", "PCMU"}, nil, nil, true, list{"opus", "PCMU", "G722", "PCMA"}},
		{"early answer", list{"opus", "PCMU"}, list{"PCMU"}, nil, true, list{"PCMU", "G722", "PCMA", "opus"}},
		{"no Opus, and a phone may have nothing else", list{"PCMA"}, nil, nil, true, list{"PCMA", "G722", "PCMU", "opus"}},
		{"no Opus, passed on only", list{"PCMA"}, nil, nil, false, list{"PCMA", "G722", "PCMU"}},
		{"Opus alone", list{"opus"}, nil, nil, true, list{"opus", "G722", "PCMU", "PCMA"}},
		{"Opus alone, passed on only", list{"opus"}, nil, nil, false, list{"opus"}},
		{"Opus alone to a trunk without", list{"opus"}, nil, list{"PCMA"}, true, list{"PCMA"}},
	} {
		if got := offerTo(c.offered, c.committed, c.allowed, c.opus); !slices.Equal(got, c.want) {
			t.Errorf("%s: offered %v, want %v", c.name, got, c.want)
		}
	}
}
