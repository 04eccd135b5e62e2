package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkImportContacts brings a million contacts from a sheet into a store. The aim is a minute, in bounded memory.
func BenchmarkImportContacts(b *testing.B) {
	const contacts = 1_000_000
	sheet := filepath.Join(b.TempDir(), "contacts.csv")
	writeLines(b, sheet, "id,name,phone,owner,source,tags,created", contacts, func(i int) string {
		return fmt.Sprintf("c%07d,Person %d,+1202%07d,%s,Website,buyer;vip,2026-01-05T10:00:00Z", i, i, 2_000_000+i, []string{"ann", "bob", ""}[i%3])
	})
	for b.Loop() {
		b.StopTimer()
		g := benchGlobals(b)
		b.StartTimer()
		if err := (&contactsImportCmd{File: sheet}).Run(g); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/import")
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/contacts*1e6, "µs/contact")
}

// BenchmarkApplyDiff compares a document of 100,000 contacts, half of them changed, with as many stored ones. The aim is
// seconds.
func BenchmarkApplyDiff(b *testing.B) {
	const contacts = 100_000
	document := func(name, other string) string {
		file := filepath.Join(b.TempDir(), name)
		writeLines(b, file, "contacts:", contacts, func(i int) string {
			return fmt.Sprintf("  - {id: c%07d, name: Person %d, phones: [\"+1202%07d\"], owner: %s, tags: [buyer, vip], created: 2026-01-05T10:00:00Z}",
				i, i, 2_000_000+i, []string{"ann", other}[i%2])
		})
		return file
	}
	g := benchGlobals(b)
	if err := (&applyCmd{File: document("stored.yaml", "ann"), Yes: true}).Run(g); err != nil {
		b.Fatal(err)
	}
	changed := document("changed.yaml", "bob")
	for b.Loop() {
		if err := (&applyCmd{File: changed, DryRun: true}).Run(g); err != exitCode(2) {
			b.Fatal(err)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/diff")
}

// benchGlobals is a data folder with the test organisation.
func benchGlobals(b *testing.B) *Globals {
	g := &Globals{Stdout: io.Discard, Stderr: io.Discard, Data: b.TempDir()}
	if err := (&applyCmd{File: organisation, Yes: true}).Run(g); err != nil {
		b.Fatal(err)
	}
	return g
}

func writeLines(b *testing.B, file, heading string, n int, line func(int) string) {
	f, err := os.Create(file)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, heading)
	for i := range n {
		fmt.Fprintln(w, line(i))
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
}
