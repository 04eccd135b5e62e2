package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// arrows say which packages may not see which, and why. The longest matching package decides; "" forbids nothing.
var arrows = []struct {
	pkg       string   // and everything below it
	forbidden []string // import path prefixes
	except    []string
	why       string
}{
	{"strowger/store", []string{"strowger/"}, []string{"strowger/store"}, "store holds the nouns; whoever uses them must not be used by them"},
	{"strowger/store", []string{"go.etcd.io/bbolt"}, nil, "only store/bolt sees bbolt, so that another store can stand beside it"},
	{"strowger/store/bolt", []string{"strowger/"}, []string{"strowger/store"}, "the adapter knows the nouns and nothing of calls"},
	{"strowger/routing", []string{"strowger/"}, []string{"strowger/routing", "strowger/store"}, "routing is pure: it decides and does nothing"},
	{"strowger/media", []string{"strowger/"}, []string{"strowger/media"}, "media knows no SIP and no calls; cmd binds them"},
	{"strowger/sip/call", []string{"strowger/"}, []string{"strowger/sip/call", "strowger/routing", "strowger/store"}, "the heart owns the interfaces that others implement"},
	{"strowger/sip/call", []string{"github.com/emiago", "github.com/pion", "net"}, []string{"net/netip"}, "the heart opens no sockets"},
	{"strowger/sip", []string{"strowger/media", "strowger/web", "strowger/store/", "strowger/cmd"}, nil, "signalling and media meet in sip/call's interfaces only"},
	{"strowger/web", []string{"strowger/media", "strowger/store/", "strowger/cmd"}, nil, "web names what it needs in interfaces of its own"},
	{"strowger/web", []string{"strowger/sip"}, []string{"strowger/sip/call"}, "the web reads snapshots of calls; SIP is not its business"},
	{"strowger", []string{"github.com/emiago"}, nil, "only package sip sees sipgo"},
	{"strowger", []string{"github.com/pion"}, nil, "only package media sees pion"},
}

// mayStill lists who is above a rule that others are under.
var mayStill = map[string][]string{
	"github.com/emiago": {"strowger/sip"},
	"github.com/pion":   {"strowger/media"},
	"go.etcd.io/bbolt":  {"strowger/store/bolt"},
}

func TestArrows(t *testing.T) {
	root := filepath.Join("..", "..")
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		files++
		rel, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		return checkImports(t, path, strings.TrimSuffix("strowger/"+filepath.ToSlash(rel), "/."))
	})
	if err != nil || files < 50 {
		t.Fatalf("walked %d files: %v", files, err)
	}
}

func checkImports(t *testing.T, file, pkg string) error {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		return err
	}
	for _, spec := range f.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		for _, a := range arrows {
			if !within(pkg, a.pkg) || within(path, a.except...) {
				continue
			}
			for _, bad := range a.forbidden {
				if (within(path, bad) || strings.HasSuffix(bad, "/") && strings.HasPrefix(path, bad)) && !within(pkg, mayStill[bad]...) {
					t.Errorf("%s imports %s: %s", file, path, a.why)
				}
			}
		}
	}
	return nil
}

// within reports whether a package is one of these or below one of them.
func within(pkg string, of ...string) bool {
	for _, p := range of {
		if pkg == p || strings.HasPrefix(pkg, p+"/") {
			return true
		}
	}
	return false
}
