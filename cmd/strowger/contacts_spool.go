package main

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"

	"strowger/store"
)

// spoolRun is how many contacts are held in memory at once.
const spoolRun = 50_000

// contactSpool keeps any number of contacts in a temporary file and gives them back sorted by id: the store takes them
// fastest, and with the least memory, in the order in which it keeps them. They are sorted in runs, which are merged.
type contactSpool struct {
	file *os.File
	end  int64
	run  []store.Contact
	runs [][2]int64 // from, to
}

func newSpool() (*contactSpool, error) {
	f, err := os.CreateTemp("", "strowger-contacts-*.jsonl") // readable by us alone
	return &contactSpool{file: f}, err
}

func (s *contactSpool) remove() {
	s.file.Close()
	os.Remove(s.file.Name())
}

func (s *contactSpool) add(c store.Contact) error {
	if s.run = append(s.run, c); len(s.run) < spoolRun {
		return nil
	}
	return s.flush()
}

// flush writes the contacts in memory as one sorted run.
func (s *contactSpool) flush() error {
	slices.SortStableFunc(s.run, func(a, b store.Contact) int { return cmp.Compare(a.ID, b.ID) })
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	for i := range s.run {
		if err := enc.Encode(&s.run[i]); err != nil {
			return err
		}
	}
	s.run = s.run[:0]
	n, err := s.file.WriteAt(buf.Bytes(), s.end)
	s.runs = append(s.runs, [2]int64{s.end, s.end + int64(n)})
	s.end += int64(n)
	return err
}

// writeTo writes all contacts as JSON lines, sorted by id; those of one id as they came.
func (s *contactSpool) writeTo(w io.Writer) error {
	if err := s.flush(); err != nil {
		return err
	}
	var open runHeap
	for i, r := range s.runs {
		next := &runReader{order: i, in: bufio.NewReaderSize(io.NewSectionReader(s.file, r[0], r[1]-r[0]), 64<<10)}
		if more, err := next.next(); err != nil {
			return err
		} else if more {
			open = append(open, next)
		}
	}
	heap.Init(&open)
	out := bufio.NewWriterSize(w, 256<<10)
	for len(open) > 0 {
		if _, err := out.Write(open[0].line); err != nil {
			return err
		}
		more, err := open[0].next()
		switch {
		case err != nil:
			return err
		case more:
			heap.Fix(&open, 0)
		default:
			heap.Pop(&open)
		}
	}
	return out.Flush()
}

// runReader stands at a line of a run.
type runReader struct {
	order int
	in    *bufio.Reader
	line  []byte
	id    string
}

func (r *runReader) next() (bool, error) {
	line, err := r.in.ReadBytes('\n')
	if errors.Is(err, io.EOF) && len(line) == 0 {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var key struct{ ID string }
	r.line = line
	err = json.Unmarshal(line, &key)
	r.id = key.ID
	return err == nil, err
}

type runHeap []*runReader

func (h runHeap) Len() int { return len(h) }
func (h runHeap) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(h[i].id, h[j].id), cmp.Compare(h[i].order, h[j].order)) < 0
}
func (h runHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *runHeap) Push(x any)   { *h = append(*h, x.(*runReader)) }
func (h *runHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
